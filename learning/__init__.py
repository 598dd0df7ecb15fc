"""What we know of learning from rare classes: pure, without network, orchestration or registry.

Rows come in through `tables` (one file, validated), `cleaning` (rows of no use) and `splits`
(holdout and folds). `features`, `samplers` and `classifiers` build the parts that a plan names;
`pipelines` joins them into the one unfitted pipeline that meets rows in a fold.

`workers` keeps the processes, `folds` fits one fold in one of them, `space` opens a plan's knobs,
`screening` compares the answers to imbalance on equal folds, `search` runs a family's study,
`refit` fits the finalist on all training rows and `models` keeps it as data.

`metrics`, `bootstrap`, `offsets` and `calibration` work on labels and probabilities alone;
`evaluation` fills a scorecard, `gate` gives the verdict, `plots` draws both. `arrays` names what
passes between them.
"""
