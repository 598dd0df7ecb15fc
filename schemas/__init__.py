"""The nouns that all rooms share: strict, frozen, and free of behaviour that touches the world.

A plan (`plan`) says what a night does, by its `dataset`, `label`, `features`, `samplers`,
`classifiers` and `objectives`, all `strict`, with `knobs` for what is searched and no
`contradictions`. A night hands on its `manifest`, the `findings` about it and its `trials`, and
ends in `results`, which `night` joins for the pages, and a `ledger` record; a comparison of recipes
ends in `variants`. `answers` names the columns of predictions, `store` is the border to files and
buckets, `faults` the errors that a user meets, `frames` the pandera schema that a dataset implies.
"""
