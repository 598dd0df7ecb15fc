"""The rows of all objects become the training side and the holdout of one night.

`shards` keeps the rows of one object and what was set aside of it, `assembly` makes the two sides
by `cleaning` (rows of no use), `floors` (enough rows of each class) and `splits` (holdout, folds).
`roles` says what cells of each role are, `examples` makes up one row of them.
"""
