"""The rows of all objects become the training side and the holdout of one night.

`shards` keeps the rows of one object and what was set aside of it, `assembly` makes the two sides
of `stubs` (rows without their features) by `cleaning` (rows of no use), `floors` (enough rows of
each class) and `splits` (holdout, folds), all of which find equal rows by `grouping`. `sides` reads
a side again, from its index and from the shards by `batches`. `roles` says what cells of each role
are, `examples` makes up one row of them.
"""
