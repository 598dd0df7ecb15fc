"""The nouns that all rooms share: strict, frozen, and free of behaviour that touches the world.

A plan (`plan`) says what a night does: its `dataset`, `label`, `split`, `features`, `samplers`,
`classifiers`, `search` and `gate`. A night hands on `manifest`, `rows` and `trials`, and ends in
`results` and a `ledger` record; a comparison of recipes in `variants`. `store` is the border to
files and buckets, `faults` the errors that a user meets, `frames` the pandera schema that a dataset
implies.
"""
