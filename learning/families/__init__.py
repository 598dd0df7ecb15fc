"""The classifiers that a plan names, and each as bytes that are data.

`classifiers` builds them: `linear`, `nbsvm`, `boosters`; forests are scikit-learn's own.
`classifier_files` stores them and reads them back as `restored` ones that only answer; `forests`,
`tree_nodes` and `booster_files` are its formats. `answering` asks all that answer for one target.
"""
