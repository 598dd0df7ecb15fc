"""What we know of learning from rare classes: pure, without network, orchestration or registry.

Rows come in through `tables` (one file, validated; `files` and `json_lines` turn bytes into
columns, `cells`, `instants` and `embeddings` give them their types, `marks` names rows and their
groups, `quarantine` tells what broke the schema, in the `wording` of all such messages). `shards`
keeps those of an object and sets aside what breaks the schema, and `assembly` makes the two sides
of a night of them, by `cleaning` (rows of no use), `floors` (enough rows of each class) and
`splits` (holdout and folds). `features`, `samplers` and `classifiers` build the parts that a plan
names; `pipelines` joins them into the one unfitted pipeline that meets rows in a fold.

`workers` keeps the processes and `folds` fits one fold in one of them; `oof` keeps its answers.
`screening` compares the answers to imbalance on equal folds. `space` opens a plan's knobs and
`search` runs a family's study: `studies` is the study on disk, `budget` and `shares` say how long
and how wide, `ranking` which trial is best, `gains` what the end of it bought, `warmth` what the
next night starts from. `refit` fits the finalist on all training rows; `models` keeps it as data
(`classifier_files` each classifier: `boosters`, `forests` and the rest as `restored` ones, once
`booster_files` and `tree_nodes` have looked), and `serving` answers with it.

`variants` lists recipes that differ by one factor, `variant_fits` fits them on equal folds and
`variant_scores` says what each is worth.

`metrics`, `objectives`, `bootstrap` (on draws of `resampling`), `offsets` (`thresholds` of several
targets) and `calibration` (`priors` before it, its fits in `scaling`) work on labels and
probabilities alone; `holdout` reads the rows that judge, `evaluation` fills a scorecard, `gate`
gives the verdict by the `objections`, `plots` draws both, `curves` the probabilities, `histories`
the search (`importance` says what mattered in it), all on `drawing`'s paper. `reports` makes a
night's record into pages, flat figures and files; `examples` shows what a model's input looks
like. `arrays` and `answers` name what passes between them.
"""
