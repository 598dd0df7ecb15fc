"""The command line; no logic of its own, it calls flows and shows records.

`cli` has the commands and their exit codes, `rendering` what they print, `summary` what a night
ends with and `variant_table` what a comparison does, all of `cells`. `embedded` gives `nightshift
train` a Prefect API of its own, `leash` ends child processes with their parent, `terminal` keeps
the screen to facts, and `up` runs server, worker and MLflow side by side, after `provision` told
the server what a worker needs.
"""
