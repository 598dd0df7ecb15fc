"""What travels between the coordinator and the workers: parameters and references, then numbers."""

from typing import Literal

from schemas.classifiers import Classifier
from schemas.dataset import Column
from schemas.features import Features, TextEmbedding
from schemas.knobs import Setting
from schemas.label import Target
from schemas.objectives import Objective
from schemas.plan import CalibrationMethod
from schemas.samplers import Imbalance
from schemas.strict import Strict

TrialState = Literal["COMPLETE", "PRUNED", "FAIL"]


class Candidate(Strict):
    """One settled recipe: features, an answer to imbalance, a classifier; no open knob.

    The features are made once a row; each target has a classifier of its own on them. To a
    classifier that reads the text itself neither features nor imbalance mean anything: they stand
    at rest.
    """

    features: Features
    imbalance: Imbalance
    classifier: Classifier


class FoldJob(Strict):
    """Fit a candidate on the rows that a split does not score, and answer those that it does.

    The probabilities go to `out` (.npy, float64, scored rows in file order x the classes of all
    targets side by side), as the classifiers gave them: neither calibrated nor shifted. `vectors`
    is the folder that keeps what encoders made of texts.
    """

    candidate: Candidate
    columns: dict[str, Column]
    targets: tuple[Target, ...]
    rows: str
    fold: int
    seed: int
    threads: int
    out: str
    vectors: str | None = None


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
    targets: tuple[Target, ...]
    objective: Objective
    calibration: CalibrationMethod
    rows: str
    oof: dict[int, str]
    seed: int
    threads: int
    out: str
    vectors: str | None = None


class EmbedJob(Strict):
    """Make vectors of one part of the texts of these rows, and keep them in the folder `vectors`.

    A text belongs to one of the `parts`, counted from 0.
    """

    embedding: TextEmbedding
    columns: tuple[str, ...]
    rows: str
    part: int
    parts: int
    vectors: str


class CalibrationChoice(Strict):
    """How one target's probabilities were made to mean what they say.

    `prior_shift`: whether a prior that sampling or weights had put in was taken out first.
    `ece_before` is of the out-of-fold probabilities as the classifiers gave them, `ece_after` of
    what both steps made of them. The steps were fitted on these rows, so the holdout's error,
    on the scorecard, is the honest one. `average_precision` is of each class, out of fold; None
    without rows of it or where it does not count.
    """

    target: str
    kind: Literal["none", "temperature", "sigmoid", "isotonic"]
    prior_shift: bool
    ece_before: float
    ece_after: float
    average_precision: tuple[float | None, ...] = ()


class FitEpoch(Strict):
    """One pass of one member of a network over its training rows, counted from 1.

    Where rows were held back, `held_loss` and the figures of each target are of these, by arg max:
    `macro_f1` a target, `class_f1` each class of each target (None: neither rows nor decisions).
    """

    member: int = 0
    epoch: int
    train_loss: float
    learning_rate: float
    seconds: float
    held_loss: float | None = None
    macro_f1: tuple[float, ...] = ()
    class_f1: tuple[tuple[float | None, ...], ...] = ()


class RefitResult(Strict):
    """A saved, reloaded and compared model; `digest` is the sha256 of its manifest.

    `train_score` is the plan's objective on the training rows themselves; `settings` are all that
    the recipe has, by dotted path; `calibrations` are of the targets, in their order; `history` has
    the epochs of a network.
    """

    out: str
    digest: str
    fit_s: float
    train_score: float
    settings: dict[str, Setting]
    calibrations: tuple[CalibrationChoice, ...]
    history: tuple[FitEpoch, ...] = ()


class TrialRecord(Strict):
    """One trial of a study, finished or not. Scores are of the plan's objective, after
    cross-fitted offsets; `plain_score` is the arg-max decision's, `fold_scores` are each finished
    fold's own, in the order of the folds in `oof`. `cut_off`: scored on fewer folds than the plan
    has, and tried again where the study goes on.
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
    has no score, there is no figure and `recalls` (by class of each target) is empty.
    """

    method: str
    imbalance: Imbalance
    score: float | None = None
    low: float | None = None
    high: float | None = None
    plain_score: float | None = None
    log_loss: float | None = None
    recalls: tuple[tuple[float, ...], ...] = ()
    fold_scores: tuple[float, ...] = ()
    seconds: float
    kept: bool
    oof: dict[int, str] = {}
    candidate: Candidate
    note: str = ""
