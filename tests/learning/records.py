"""Records of nights made by hand: scorecards from confusion matrices, without any learning."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.label import Target
from schemas.manifest import Changes, Rows
from schemas.night import BASELINE, Judgement, Night
from schemas.results import (
    ClassChange,
    ClassScore,
    Interval,
    Scorecard,
    TargetChange,
    TargetScore,
    Verdict,
)
from schemas.samplers import NoResampling
from schemas.trials import (
    CalibrationChoice,
    Candidate,
    MethodScore,
    RefitResult,
    StudyResult,
    TrialRecord,
)

CANDIDATE = Candidate(
    features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=1.0)
)
POLARITY = Target(name="polarity", class_values=("<img onerror=x>", "a|b"), counted=(0, 1))
MOOD = Target(name="mood", class_values=("sad", "calm", "glad"), counted=(0, 1, 2))
LABELS = tuple(Target(name=n, class_values=(0, 1), counted=(1,)) for n in ("toxic", "threat"))
CONFUSIONS = {
    "polarity": [[2, 1], [1, 4]],
    "mood": [[2, 0, 0], [1, 2, 0], [1, 1, 1]],
    "toxic": [[5, 1], [1, 1]],
    "threat": [[7, 0], [1, 0]],
}


def about(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.1)


def target_score(target: Target, confusion: Sequence[Sequence[int]]) -> TargetScore:
    counts = np.array(confusion)
    hits, decided, support = np.diagonal(counts), counts.sum(0), counts.sum(1)

    def share(part: int, whole: int) -> float | None:
        return float(part / whole) if whole else None

    classes = tuple(
        ClassScore(
            name=text,
            support=int(support[c]),
            predicted=int(decided[c]),
            hits=int(hits[c]),
            precision=share(hits[c], decided[c]),
            recall=share(hits[c], support[c]),
            f1=share(2 * hits[c], decided[c] + support[c]),
            average_precision=0.5,
            roc_auc=0.75,
        )
        for c, text in enumerate(target.class_texts)
    )

    def mean(name: str) -> float:
        figures = [getattr(classes[c], name) for c in target.counted]
        return float(np.mean([figure for figure in figures if figure is not None] or [0.0]))

    return TargetScore(
        name=target.name,
        rows=int(counts.sum()),
        counted=target.counted,
        score=about(mean("f1")),
        macro_f1=mean("f1"),
        macro_precision=mean("precision"),
        macro_recall=mean("recall"),
        accuracy=float(hits.sum() / counts.sum()),
        balanced_accuracy=0.7,
        log_loss=0.3,
        brier=0.2,
        ece=0.1,
        class_ece=0.15,
        roc_auc=0.8,
        average_precision=0.6,
        classes=classes,
        confusion=tuple(tuple(map(int, row)) for row in counts),
    )


def scorecard(*targets: Target) -> Scorecard:
    scores = tuple(target_score(target, CONFUSIONS[target.name]) for target in targets)
    f1 = about(float(np.mean([score.macro_f1 for score in scores])))
    return Scorecard(
        rows=8,
        score=f1,
        macro_f1=f1,
        exact_match=0.5 if len(targets) > 1 else None,
        targets=scores,
        latency_ms=0.25,
    )


def trial(number: int, score: float | None, **facts: Any) -> TrialRecord:
    return TrialRecord(
        number=number,
        state="COMPLETE" if score else "FAIL",
        params={"classifier.C": 0.123456 * (number + 1)},
        candidate=CANDIDATE,
        score=score,
        **facts,
    )


def _fit(targets: Sequence[Target]) -> RefitResult:
    return RefitResult(
        out="o",
        digest="d",
        fit_s=1.0,
        train_score=0.9,
        settings={"imbalance.kind": "none", "classifier.C": 1 / 3, "features.vector": None},
        calibrations=tuple(
            CalibrationChoice(
                target=target.name,
                kind="temperature",
                prior_shift=place == 0,
                ece_before=0.2,
                ece_after=0.05,
            )
            for place, target in enumerate(targets)
        ),
    )


def night(*targets: Target, objective: str = "macro-F1") -> Night:
    studies = tuple(
        StudyResult(family=family, trials=trials, best=max(trials, key=lambda t: t.score or 0))
        for family, trials in (
            ("lightgbm", (trial(0, 0.7), trial(1, None))),
            ("logistic-regression", (trial(0, 0.8), trial(1, 0.6))),
        )
    )
    several = len(targets) > 1
    verdict = Verdict(
        decision="HOLD",
        reference="version 1",
        reasons=("too <small> a gain",),
        difference=Interval(value=0.01, low=-0.02, high=0.04),
        target_changes=tuple(
            TargetChange(name=target.name, score=about(0.02)) for target in targets if several
        ),
        class_changes=tuple(
            ClassChange(target=target.name, name=target.class_texts[c], f1=about(0.0), more_rows=40)
            for target in targets
            for c in target.counted
        ),
    )
    card = scorecard(*targets)
    counts = [np.sum(CONFUSIONS[target.name], axis=1) for target in targets]
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
            train_counts=tuple(tuple(int(10 * n) for n in each) for each in counts),
            holdout_counts=tuple(tuple(int(n) for n in each) for each in counts),
            dropped={"text missing or blank": 4},
            quarantined={"column 'x': a number": 3},
            notes=("mood has 20 rows of 'sad'",),
        ),
        targets=targets,
        objective=objective,
        methods=(
            MethodScore(
                method="smote k=5",
                imbalance=NoResampling(),
                score=0.7,
                low=0.6,
                high=0.8,
                recalls=tuple(tuple(0.5 for _ in t.class_values) for t in targets),
                seconds=1.0,
                kept=True,
                candidate=CANDIDATE,
            ),
            MethodScore(
                method="adasyn",
                imbalance=NoResampling(),
                seconds=0.0,
                kept=False,
                candidate=CANDIDATE,
                note="expected more rows",
            ),
        ),
        studies=studies,
        fits={BASELINE: _fit(targets)},
        judgement=Judgement(
            contender=BASELINE,
            cards={"challenger": card, "champion": card},
            verdict=verdict,
            rows=8,
            excluded=2,
        ),
        notes=("lightgbm is left out", "mood has 20 rows of 'sad'"),
        champion_before=1,
        champion_after=1,
        budget_minutes=1.0,
        stage_seconds={"judge": 1.5},
    )
