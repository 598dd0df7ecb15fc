"""One night as one sentence. `train` runs a night for each plan; tasks do the work. `variants`
compares one factor of a recipe at a time, `predict` puts a champion to work.

Flows compose tasks and know no formula, no file format and no server.
"""
