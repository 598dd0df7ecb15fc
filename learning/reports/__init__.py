"""A night's record as what people and programs read: pages, tables, flat figures, files.

`page` is the whole night as Markdown: `recipes` (what contends), the tables of `scores` (models,
targets, classes), `methods` and `trials` (the search); `figures` are the flat names that MLflow
searches; `files` what is kept beside a model, `studies` what is kept of a search, `variants` of a
comparison, `classification` the report as scikit-learn writes it. `texts` says how figures are
written; it, `markdown` and `names` escape what a plan may call its classes.
"""
