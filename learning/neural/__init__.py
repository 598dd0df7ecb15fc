"""Transformers that are fine-tuned: one encoder, a head for each target, clothed as scikit-learn's.

`estimator` is the door. On the way through: `folders` finds what was pretrained, `encoders` loads
it, `tokens` makes rows of words into numbers, `holding` sets some aside, `sampling` says which are
drawn, `examples` batches them, and a lesson of `lessons` is all of it. `modules` is the network,
`losses` what its answers cost, `optimising` which weight moves how fast; `training` drives Hugging
Face's Trainer, `epochs` tells of it and `checkpoints` keeps it. `answering` is what is left when
the fit is over, and `files` keeps that as data.

Nothing outside of this room imports torch or transformers, which take seconds, at module level.
"""
