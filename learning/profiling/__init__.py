"""What the columns of an unknown labelled file seem to be: guesses, each with its evidence.

`excerpts` reads some or all of a file, whatever its encoding. `facts` counts the levels of each
column, `roles` says by them what a column is (`dates` and `figures` know how times and numbers are
written), `ids` which of them name cases, `classes` what is predicted, and `leaks` which columns
give the label away. `guesses` puts all of it together. Nothing here knows of YAML.
"""
