"""Models on rows that none of them has seen, and what follows.

`holdout` reads the rows and asks the models, `evaluation` fills a scorecard, `gate` gives the
verdict, for the reasons that `objections` finds.
"""
