"""What runs where: the plans (`plans/*.yaml`) and how they become strict settings.

`strict_yaml` reads YAML without its surprises and remembers lines; `plans` turns a file into a
`schemas.plan.Plan`; `plan_faults` words what is wrong with one, with the path and line of each
fault, and `samples` looks at its data. `quickstart` deals the data of the one plan that is enabled
as shipped.
"""
