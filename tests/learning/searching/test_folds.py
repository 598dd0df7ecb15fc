"""A fold is answered by a fit that never met its rows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler

import learning.searching.folds
from learning.searching.folds import FitFailed, fit_fold, kept_seconds, told
from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.features import Features, TextFeatures
from schemas.label import Target
from schemas.manifest import Rows
from schemas.samplers import Imbalance, NoResampling, RandomUndersampling, Smote
from schemas.trials import Candidate, FoldJob
from tests.learning.kinds import CLASSIFIERS, SAMPLERS
from tests.learning.samples import (
    CLASSES,
    COLUMNS,
    FOLDS,
    KINDS,
    NUMBERS,
    SINGLE,
    prepared_rows,
    write_rows,
)

SETTLED = Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=1))


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return prepared_rows(tmp_path / "rows", rows=150)


def job(
    rows: Rows,
    out: Path,
    imbalance: Imbalance | None = None,
    classifier: Classifier | None = None,
    fold: int = 1,
) -> FoldJob:
    candidate = Candidate(
        features=SETTLED,
        imbalance=imbalance or NoResampling(),
        classifier=classifier or LogisticRegression(C=1.0),
    )
    return FoldJob(
        candidate=candidate,
        columns=COLUMNS,
        rows=rows.train,
        fold=fold,
        targets=SINGLE,
        seed=3,
        threads=1,
        out=str(out),
    )


@pytest.mark.parametrize("classifier", CLASSIFIERS.values(), ids=CLASSIFIERS)
@pytest.mark.parametrize("imbalance", SAMPLERS.values(), ids=SAMPLERS)
def test_every_recipe_answers_each_row_of_its_fold_the_same_twice(
    imbalance: Imbalance, classifier: Classifier, rows: Rows, tmp_path: Path
) -> None:
    result = fit_fold(job(rows, tmp_path / "a.npy", imbalance, classifier))
    learning.searching.folds._RECENT.clear()
    fit_fold(job(rows, tmp_path / "b.npy", imbalance, classifier))
    probabilities = np.load(tmp_path / "a.npy")
    assert probabilities.shape == (result.rows, CLASSES) == (50, CLASSES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(probabilities, np.load(tmp_path / "b.npy"))
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_changing_the_folds_own_rows_changes_only_their_answers(rows: Rows, tmp_path: Path) -> None:
    fit_fold(job(rows, tmp_path / "before.npy", Smote()))
    table = pq.read_table(rows.train).to_pandas()
    row = int(np.flatnonzero(table["__fold"] == 2)[0])
    table.loc[row, "said"] = "unheard words only"
    table.loc[row, "amount"] = 1e6
    table.loc[row, "__label0"] = (table.loc[row, "__label0"] + 1) % CLASSES
    changed = tmp_path / "changed.parquet"
    write_rows(table, changed)
    fit_fold(job(rows.model_copy(update={"train": str(changed)}), tmp_path / "after.npy", Smote()))
    before, after = np.load(tmp_path / "before.npy"), np.load(tmp_path / "after.npy")
    np.testing.assert_array_equal(before[1:], after[1:])
    assert not np.array_equal(before[0], after[0])


@pytest.mark.parametrize("spec", [Smote(), RandomUndersampling()], ids=["smote", "undersampling"])
def test_a_sampler_never_sees_a_validation_row(
    spec: Imbalance, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    table = pq.read_table(rows.train).to_pandas()
    table["amount"] = np.arange(len(table), dtype=np.float64)
    write_rows(table, Path(rows.train))
    kind = SMOTE if isinstance(spec, Smote) else RandomUnderSampler
    resample = kind.fit_resample

    def watched(self: object, X: np.ndarray, y: np.ndarray) -> object:
        seen.append(X[:, 0])
        return resample(self, X, y)

    monkeypatch.setattr(kind, "fit_resample", watched)
    plain = job(rows, tmp_path / "a.npy", spec).model_copy(update={"columns": NUMBERS})
    fit_fold(plain)
    inside = (table["__fold"] == 2).to_numpy()
    training = table.loc[~inside, "amount"].to_numpy()
    scaled = (training - training.mean()) / training.std()
    np.testing.assert_allclose(seen[0], scaled)


def test_features_are_fitted_once_for_trials_that_share_them(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    learning.searching.folds._RECENT.clear()
    for strength in (0.1, 1.0, 10.0):
        one = job(rows, tmp_path / f"{strength}.npy", classifier=LogisticRegression(C=strength))
        fit_fold(one)
    assert len(made) == 1


@pytest.mark.parametrize(("most_bytes", "times"), [(1_000_000_000, 2), (1, 4)])
def test_large_features_of_several_folds_are_not_held_together(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int, times: int
) -> None:
    made = counted(monkeypatch)
    monkeypatch.setattr(learning.searching.folds._RECENT, "_most_bytes", most_bytes)
    for number in range(4):
        fit_fold(job(rows, tmp_path / f"{number}.npy", fold=number % 2))
    assert len(made) == times


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that features are fitted; none is at hand."""
    learning.searching.folds._RECENT.clear()
    made: list[object] = []
    fresh = learning.searching.folds.transformer
    monkeypatch.setattr(
        learning.searching.folds, "transformer", lambda *a: made.append(a) or fresh(*a)
    )
    return made


def test_a_library_that_refuses_is_told_as_a_failed_fit(rows: Rows, tmp_path: Path) -> None:
    endless = LightGBM(
        rounds=5, learning_rate=0.1, num_leaves=4, min_child_samples=1,
        colsample_bytree=0.5, reg_lambda=0.1, max_bin=2,
    )  # fmt: skip
    refused = job(rows, tmp_path / "a.npy", classifier=endless)
    broken = refused.model_copy(update={"fold": 30})
    with pytest.raises(FitFailed, match="ValueError"):
        fit_fold(broken)
    assert not (tmp_path / "a.npy").exists()


@pytest.mark.parametrize(
    "cell", ["a private cell", "it's private", 'a "private" cell', """it's a "private" cell"""]
)
@pytest.mark.parametrize("quoted", [repr, "'{}' there".format, '"{}" at position 0'.format])
def test_a_told_fault_quotes_no_cell(cell: str, quoted: Callable[[str], str]) -> None:
    fault = ValueError(f"could not convert string to float: {quoted(cell)}")
    assert told(fault) == "ValueError: could not convert string to float:"


def test_other_folds_get_other_rows(rows: Rows, tmp_path: Path) -> None:
    answered = [fit_fold(job(rows, tmp_path / f"{f}.npy", fold=f)).rows for f in range(FOLDS)]
    assert answered == [50, 50, 50]


def test_answers_keep_the_seconds_that_they_took(rows: Rows, tmp_path: Path) -> None:
    out = tmp_path / "a.npy"
    assert kept_seconds(out) is None
    result = fit_fold(job(rows, out))
    assert kept_seconds(out) == pytest.approx(result.fit_s + result.predict_s, abs=1e-5)
    out.unlink()
    assert kept_seconds(out) is None


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_all_targets_are_answered_side_by_side(asked: tuple[Target, ...], tmp_path: Path) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=150, asked=asked)
    out = tmp_path / "a.npy"
    fit_fold(job(rows, out).model_copy(update={"targets": asked}))
    joined = np.load(out)
    assert joined.shape == (50, sum(target.classes for target in asked))
    np.testing.assert_allclose(joined.sum(axis=1), len(asked))


def test_row_weights_reach_the_fit(rows: Rows, tmp_path: Path) -> None:
    table = pq.read_table(rows.train).to_pandas()
    table["__weight"] = np.where(table["__label0"] == 0, 20.0, 1.0)
    weighed = tmp_path / "weighed.parquet"
    write_rows(table, weighed)
    fit_fold(job(rows, tmp_path / "plain.npy"))
    fit_fold(job(rows.model_copy(update={"train": str(weighed)}), tmp_path / "weighed.npy"))
    plain, heavy = (np.load(tmp_path / f"{name}.npy") for name in ("plain", "weighed"))
    assert heavy[:, 0].mean() > 2 * plain[:, 0].mean()
