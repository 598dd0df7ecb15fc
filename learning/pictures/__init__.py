"""Figures as PNG bytes, drawn from records: no pyplot, so any thread may draw.

`plots` draws decisions and their changes, `curves` probabilities, `histories` the search; all on
the paper of `drawing`.
"""
