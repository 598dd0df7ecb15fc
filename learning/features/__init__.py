"""Columns become one matrix of features, fitted inside a fold.

`matrix` puts the blocks together: `words` are those of text, `encoders` those of times and
embeddings. `layout` is what a sampler has to know of the matrix.
"""
