"""What travels between the coordinator and the workers: parameters and references, then numbers."""

from typing import Literal

from schemas.classifiers import Classifier
from schemas.dataset import Column
from schemas.features import Features
from schemas.knobs import Setting
from schemas.label import ClassValue
from schemas.samplers import Imbalance
from schemas.strict import Strict

TrialState = Literal["COMPLETE", "PRUNED", "FAIL"]


class Candidate(Strict):
    """One settled recipe: features, an answer to imbalance, a classifier; no open knob."""

    features: Features
    imbalance: Imbalance
    classifier: Classifier


class FoldJob(Strict):
    """Fit a candidate on all folds but one and score the rows of that one.

    The probabilities go to `out` (.npy, float64, rows of the fold in file order x classes).
    """

    candidate: Candidate
    columns: dict[str, Column]
    rows: str
    fold: int
    classes: int
    seed: int
    threads: int
    out: str


class FoldResult(Strict):
    """`out` was written; seconds are wall time inside the worker."""

    out: str
    fold: int
    rows: int
    fit_s: float
    predict_s: float


class RefitJob(Strict):
    """Fit a candidate on every training row, calibrate and set offsets from its out-of-fold
    probabilities (`oof`: fold -> .npy as in `FoldJob.out`), save to the new folder `out`.
    """

    candidate: Candidate
    columns: dict[str, Column]
    class_texts: tuple[str, ...]
    class_values: tuple[ClassValue, ...]
    rows: str
    oof: dict[int, str]
    seed: int
    threads: int
    out: str


class RefitResult(Strict):
    """A saved, reloaded and compared model; `digest` is the sha256 of its manifest."""

    out: str
    digest: str
    fit_s: float
    train_score: float


class TrialRecord(Strict):
    """One trial of a study, finished or not. Scores are macro-F1 after cross-fitted offsets;
    `plain_score` is the arg-max decision's, `fold_scores` are each finished fold's own, in the
    order of the folds in `oof`. `cut_off`: scored on fewer folds than the plan has, and tried
    again where the study goes on.
    """

    number: int
    state: TrialState
    params: dict[str, Setting]
    candidate: Candidate | None = None
    score: float | None = None
    plain_score: float | None = None
    log_loss: float | None = None
    fold_scores: tuple[float, ...] = ()
    seconds: float = 0.0
    oof: dict[int, str] = {}
    cut_off: bool = False
    note: str = ""


class StudyResult(Strict):
    """What one family's study found. `resumed` of the trials are an earlier run's."""

    family: str
    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None
    resumed: int = 0
    seconds: float = 0.0
    last_gain: str = ""


class MethodScore(Strict):
    """One imbalance method on the equal folds, with the cheap learner. Where `note` says why it
    has no score, there is no figure and `recalls` (by class) is empty.
    """

    method: str
    imbalance: Imbalance
    score: float | None = None
    low: float | None = None
    high: float | None = None
    plain_score: float | None = None
    log_loss: float | None = None
    recalls: tuple[float, ...] = ()
    fold_scores: tuple[float, ...] = ()
    seconds: float
    kept: bool
    oof: dict[int, str] = {}
    candidate: Candidate
    note: str = ""
