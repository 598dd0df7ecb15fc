"""Recipes that differ from a base in one factor, compared on equal folds.

`listing` makes them of a plan, `fits` are their jobs, `scores` what they are worth and which
differences are beyond chance.
"""
