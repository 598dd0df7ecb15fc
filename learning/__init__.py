"""What we know of learning from rare classes: pure, without network, orchestration or registry.

The rooms in the order in which rows pass through them:

- `reading`: the bytes of one object become typed rows, and rows to set aside.
- `rows`: the rows of all objects become the two sides of a night.
- `features`: columns become one matrix. `imbalance`: what is done about rare classes.
  `families`: the classifiers of a plan.
- `searching`: recipes are fitted on folds, in worker processes, under one budget.
- `deciding`: arithmetic on labels and probabilities: objectives, offsets, calibration, intervals.
- `keeping`: the finalist is fitted on all rows and kept as data, and answers.
- `judging`: models on the holdout, and the verdict.
- `variants`: recipes that differ in one factor. `pictures` and `reports`: all of it told to people.

`arrays` names what passes between them; `answers` is what one model says of rows.
"""
