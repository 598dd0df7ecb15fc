"""What a person reads of the screening."""

from typing import Any

from learning.reports.methods import rarest, screening_rows
from schemas.label import MultiLabel, SingleLabel, targets
from schemas.samplers import ClassWeights, Smote
from schemas.trials import MethodScore
from tests.learning.records import CANDIDATE

TARGETS = targets(SingleLabel(column="label", classes=("no", "yes")))
BOTH = [(0, 0), (0, 1)]


def method(name: str, **facts: Any) -> MethodScore:
    facts = {"imbalance": ClassWeights(), "seconds": 1.0, "kept": True, **facts}
    return MethodScore(method=name, candidate=CANDIDATE, **facts)


def test_a_method_without_a_score_shows_dashes_and_why() -> None:
    failed = method("smote", imbalance=Smote(), kept=False, note="ValueError: too few rows")
    (row,) = screening_rows([failed], "macro-F1", TARGETS, BOTH)
    figures = ("macro-F1", "95 % interval", "without offsets", "log loss")
    assert {row[figure] for figure in (*figures, "recall no", "recall yes")} == {"-"}
    assert (row["searched"], row["note"]) == ("no", "ValueError: too few rows")


def test_a_scored_method_shows_its_figures_in_the_same_columns() -> None:
    scored = method(
        "class-weights",
        score=0.5,
        low=0.25,
        high=0.75,
        plain_score=0.4,
        log_loss=0.3,
        recalls=((0.9, 0.1),),
    )
    (row,) = screening_rows([scored], "macro-F1", TARGETS, BOTH)
    assert (row["macro-F1"], row["95 % interval"]) == ("0.5000", "0.2500 to 0.7500")
    assert (row["recall no"], row["recall yes"]) == ("0.9000", "0.1000")
    assert (row["searched"], row["note"]) == ("yes", "-")


def test_of_very_many_classes_the_screening_tells_the_rarest() -> None:
    names = tuple(f"class {c}" for c in range(1000))
    asked = targets(SingleLabel(column="label", classes=names))
    told = rarest(asked, [[2000 - c for c in range(1000)]])
    assert told == [(0, c) for c in range(988, 1000)]
    scored = method("none", recalls=(tuple(c / 1000 for c in range(1000)),))
    (row,) = screening_rows([scored], "macro-F1", asked, told)
    recalls = {name: figure for name, figure in row.items() if "recall" in name}
    assert recalls == {f"recall class {c}": f"{c / 1000:.4f}" for c in range(988, 1000)}


def test_of_many_labels_the_screening_tells_who_is_found_and_not_who_has_none() -> None:
    asked = targets(MultiLabel(columns=("sad", "calm")))
    told = rarest(asked, [[50, 3], [40, 2]])
    scored = method("none", recalls=((0.9, 0.1), (0.8, 0.2)))
    (row,) = screening_rows([scored], "macro-F1", asked, told)
    recalls = {name: figure for name, figure in row.items() if "recall" in name}
    assert recalls == {"recall sad": "0.1000", "recall calm": "0.2000"}
