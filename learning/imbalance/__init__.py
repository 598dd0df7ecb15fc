"""What is done about rare classes, made for the rows of one very fold.

`samplers` builds the chains that a spec describes and applies them, `sampling_steps` grows and
cleans classes, `mixed_smote` and `borderline_smote` are the methods that imbalanced-learn has not
for matrices like ours.
"""
