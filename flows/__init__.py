"""One night as one sentence. `train` runs a night for each plan; tasks do the work.

Flows compose tasks and know no formula, no file format and no server.
"""
