"""Recipes are tried under one budget, fold by fold, in worker processes.

`workers` keeps the processes; `folds` fits one fold in one of them (`fitting` is where rows,
sampler and classifier meet, `recent` what stays in its memory) and `oof` says what the answers are
worth; while a fit runs, `channel` is what it and the coordinator tell each other. `units` are the
folds of a recipe in the workers, and what became of them. `screening` compares the answers to
imbalance on equal folds. `space` opens the knobs of a plan and `search`
runs a family over them: `studies` is the study on disk, `budget` and `shares` say how long and how
wide, `flights` are the trials under way and `steps` number their scores, `ranking` says which trial
is best, `gains` what the end bought, `warmth` what the next night starts from, `importance` which
knobs mattered.
"""
