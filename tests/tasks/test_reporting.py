"""What the night's page says of the screening."""

from types import SimpleNamespace
from typing import Any

from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.samplers import Smote
from schemas.trials import Candidate, MethodScore
from tasks.reporting import _methods


def test_a_method_without_a_score_shows_dashes_and_why() -> None:
    failed = MethodScore(
        method="smote",
        imbalance=Smote(),
        seconds=1.0,
        kept=False,
        candidate=Candidate(
            features=Features(), imbalance=Smote(), classifier=LogisticRegression(C=1.0)
        ),
        note="the time for the screening was up",
    )
    night: Any = SimpleNamespace(methods=(failed,))
    told = _methods(night).splitlines()[-1]
    assert told == "| smote | - | - | - | - | no | the time for the screening was up |"
