"""The page is rendered from the night's record alone; these records are made by hand."""

import html
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from learning.evaluation import scorecard
from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.manifest import Changes, Rows
from schemas.night import BASELINE, Judgement, Night
from schemas.plan import Gate
from schemas.results import Interval, Verdict
from schemas.samplers import NoResampling
from schemas.trials import Candidate, RefitResult, StudyResult, TrialRecord
from tasks.reporting import ending_files, headline, judgement_files, leaderboard, metrics, page

CLASSES = ("<img onerror=x>", "a|b")


def _card():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    decided = np.array([0, 0, 1, 1, 1, 1, 0, 1])
    probabilities = np.where(decided[:, None] == np.arange(2), 0.8, 0.2)
    return scorecard(labels, probabilities, decided, CLASSES, Gate(resamples=200), seed=0)


def _trial(number: int, score: float | None) -> TrialRecord:
    candidate = Candidate(
        features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=1.0)
    )
    return TrialRecord(
        number=number,
        state="COMPLETE" if score else "FAIL",
        params={"classifier.C": 0.123456},
        candidate=candidate,
        score=score,
    )


@pytest.fixture
def night() -> Night:
    studies = tuple(
        StudyResult(family=family, trials=trials, best=max(trials, key=lambda t: t.score or 0))
        for family, trials in (
            ("lightgbm", (_trial(0, 0.7), _trial(1, None))),
            ("logistic-regression", (_trial(0, 0.8), _trial(1, 0.6))),
        )
    )
    verdict = Verdict(
        decision="HOLD",
        reference="version 1",
        reasons=("too <small> a gain",),
        difference=Interval(value=0.01, low=-0.02, high=0.04),
    )
    return Night(
        plan="p",
        run_id="r",
        started_at=datetime(2026, 11, 21, tzinfo=UTC),
        manifest_digest="m",
        objects=3,
        changes=Changes(new=("c.csv",)),
        rows=Rows(
            digest="d",
            train="t",
            holdout="h",
            train_counts=(30, 70),
            holdout_counts=(3, 5),
            dropped={"text missing or blank": 4},
        ),
        class_texts=CLASSES,
        methods=(),
        studies=studies,
        fits={BASELINE: RefitResult(out="o", digest="d", fit_s=1.0, train_score=0.9)},
        judgement=Judgement(
            contender=BASELINE, cards={"challenger": _card()}, verdict=verdict, rows=8, excluded=2
        ),
        notes=("lightgbm is left out",),
        champion_before=1,
        champion_after=1,
        budget_minutes=1.0,
    )


def test_trials_of_all_families_are_ranked_together_and_failed_ones_left_out(night):
    ranked = [(row["family"], row["trial"], row["macro-F1"]) for row in leaderboard(night.studies)]
    assert ranked == [
        ("logistic-regression", "0", "0.8000"),
        ("lightgbm", "0", "0.7000"),
        ("logistic-regression", "1", "0.6000"),
    ]


def test_the_page_says_what_was_new_what_was_dropped_and_who_stays(night):
    told = page(night)
    for words in (
        "3 objects: 1 new, 0 changed, 0 vanished",
        "100 rows to train on, 8 in the holdout",
        "4 rows dropped: text missing or blank",
        "2 holdout rows set aside",
        "lightgbm is left out",
        "Champion: version 1, unchanged.",
        headline(night),
    ):
        assert words in told


def test_nothing_in_the_page_is_taken_for_markup(night):
    told = page(night)
    assert "<img" not in told
    assert "<small>" not in told
    assert html.escape(CLASSES[0]) in told
    lines = [line for line in told.splitlines() if line.startswith("|")]
    tables = [line.count("|") for line in lines]
    assert all(a == b for a, b, c in zip(tables, tables[1:], lines[1:], strict=False) if "---" in c)


def test_every_figure_of_the_files_is_the_cards(night):
    card = night.judgement.cards["challenger"]
    told = metrics(night)
    assert told["macro_f1"] == card.macro_f1.value
    assert told["difference_macro_f1_low"] == -0.02
    assert json.loads(judgement_files(night)["metrics.json"]) == told
    table = judgement_files(night)["challenger/classes.csv"].decode().splitlines()
    assert len(table) == 3
    assert Night.model_validate_json(ending_files(night)["night.json"]) == night


def test_metric_names_are_of_letters_that_mlflow_takes(night):
    assert "f1_class__img onerror_x_" in metrics(night)
    assert "f1_class_a_b" in metrics(night)
