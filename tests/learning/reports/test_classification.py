"""scikit-learn writes the report of the same rows, and is the oracle."""

import numpy as np
import pytest
from sklearn.metrics import classification_report as oracle

from learning.reports.classification import classification_report, label_report
from schemas.label import Target
from tests.learning.records import target_score


def _confusion(labels, decided, classes):
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (labels, decided), 1)
    return counts.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_the_report_is_scikit_learns_letter_for_letter(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 6))
    texts = tuple("a much longer class name"[: 5 * c + 1] for c in range(classes))
    # The last class is rare and the first is never decided: some figures are not defined.
    labels = rng.choice(classes, 60, p=np.append(np.full(classes - 1, 0.98 / (classes - 1)), 0.02))
    decided = rng.integers(1, classes, 60)
    target = Target(name="t", class_values=texts, counted=tuple(range(classes)))
    ours = classification_report(target_score(target, _confusion(labels, decided, classes)))
    assert ours == oracle(
        labels,
        decided,
        labels=range(classes),
        target_names=texts,
        digits=4,
        zero_division=np.nan,
    )


def test_a_class_that_is_nowhere_has_no_figures_and_leaves_the_means_alone():
    target = Target(name="t", class_values=("a", "b", "c"), counted=(0, 1, 2))
    lines = classification_report(
        target_score(target, [[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    ).splitlines()
    assert lines[4].split() == ["c", "nan", "nan", "nan", "0"]
    assert "nan" not in lines[-1] + lines[-2]


@pytest.mark.parametrize("seed", range(4))
def test_the_report_of_many_labels_is_scikit_learns_but_for_the_mean_over_rows(seed):
    rng = np.random.default_rng(seed)
    names = ("toxic", "threat", "insult")
    labels, decided = rng.integers(0, 2, (2, 50, 3))
    decided[:, 1] = 0
    scores = [
        target_score(
            Target(name=name, class_values=(0, 1), counted=(1,)),
            _confusion(labels[:, place], decided[:, place], 2),
        )
        for place, name in enumerate(names)
    ]
    theirs = oracle(labels, decided, target_names=names, digits=4, zero_division=np.nan)
    assert label_report(scores).splitlines() == theirs.splitlines()[:-1]
