"""A model is fitted on all training rows, kept as data and read back only if every byte is right.

`refit` fits the finalist, `models` saves and loads it in a folder that `seals` has sealed, and
`serving` answers with it.
"""
