"""Models on rows that none of them has seen, and what follows.

`holdout` reads the rows and asks the models, `evaluation` fills a scorecard. `questions` says what
is asked of a challenger; `gate` gives the verdict, for the reasons that `objections` finds, those
about a target or a class that loses in `losses`.
"""
