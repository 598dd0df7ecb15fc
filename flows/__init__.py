"""One night as one sentence. `train` runs a night for each plan; tasks do the work. `arrival` looks
whether objects have come and starts a night for them, `news` says whether one is due, `rows` reads
what it learns from, `search` screens, tunes and fits. `variants` compares one factor of a recipe at
a time, `predict` puts a champion to work.

Flows compose tasks and know no formula, no file format and no server.
"""
