"""Arithmetic on labels and probabilities; nothing here knows rows or models.

`metrics` are the figures and `objectives` what a plan wants of them. `offsets` turn probabilities
into decisions that are good by an objective, `thresholds` do it for many labels together.
`priors` takes out what resampling put in, `calibration` (with its fits in `scaling`) what else is
untrue. `bootstrap` says how far chance goes, by the draws of `resampling`.
"""
