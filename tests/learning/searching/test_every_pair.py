"""Every classifier trains after every answer to imbalance, on text and numbers."""

import warnings

import numpy as np
import pandas as pd
import pytest

from learning.families.answering import predict_probabilities
from learning.features.matrix import layout, transformer
from learning.searching.fitting import fit_targets
from schemas.classifiers import Classifier
from schemas.dataset import CategoryColumn, Column, NumberColumn, TextColumn
from schemas.features import Features, TextFeatures
from schemas.label import SingleLabel, targets
from schemas.samplers import Imbalance
from schemas.trials import Candidate
from tests.learning.kinds import CLASSIFIERS, SAMPLERS

COLUMNS: dict[str, Column] = {
    "said": TextColumn(),
    "size": NumberColumn(),
    "shop": CategoryColumn(),
}
FIVE = targets(SingleLabel(column="label", classes=(0, 1, 2, 3, 4)))


@pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=CLASSIFIERS)
@pytest.mark.parametrize("way", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("rare", [1, 6])
def test_every_pair_trains_on_text_and_tables_without_a_warning(
    spec: Classifier, way: Imbalance, rare: int
) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 3], [24, rare, 9])
    frame = pd.DataFrame(
        {
            "said": [f"word{c} " + " ".join(rng.choice(["so", "very"], 2)) for c in labels],
            "size": rng.normal(size=len(labels)),
            "shop": rng.choice(["a", "b", "c"], len(labels)),
        }
    )
    frame.loc[0, "said"], frame.loc[1, "size"] = None, np.nan
    text = TextFeatures(weighting="tfidf", ngram_max=2, min_df=2)
    candidate = Candidate(features=Features(text=text), imbalance=way, classifier=spec)
    features = transformer(candidate.features, COLUMNS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        matrix = features.fit_transform(frame)
        (fitted,) = fit_targets(
            candidate, FIVE, matrix, layout(features), labels[:, None], None, 0, 1
        )
        probabilities = predict_probabilities(fitted.classifiers, matrix, 5)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert not probabilities[:, [2, 4]].any()
    assert [weight > 0 for weight in fitted.trained] == [True, True, False, True, False]
    if rare > 1:  # one row a class is too little to learn from
        assert (probabilities.argmax(axis=1) == labels)[1:].mean() > 0.8
