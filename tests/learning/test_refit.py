"""The finalist is kept whole, calibrated, and answers from disk as it did in memory."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import learning.refit
from learning.folds import fit_fold
from learning.marks import row_marks
from learning.models import FittedModel, load, training_keys
from learning.refit import refit
from schemas.classifiers import Classifier
from schemas.faults import ModelRefused
from schemas.features import Features, TextFeatures
from schemas.manifest import Rows
from schemas.samplers import Smote
from schemas.trials import Candidate, FoldJob, RefitJob
from tests.learning.kinds import CLASSIFIERS
from tests.learning.samples import CLASSES, COLUMNS, FOLDS, prepared_rows


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"), rows=180)


def job(rows: Rows, folder: Path, classifier: Classifier) -> RefitJob:
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=1)),
        imbalance=Smote(),
        classifier=classifier,
    )
    shared = {"candidate": candidate, "columns": COLUMNS, "rows": rows.train, "seed": 0}
    oof = {}
    for fold in range(FOLDS):
        out = str(folder / f"oof-{fold}.npy")
        fit_fold(FoldJob(**shared, fold=fold, classes=CLASSES, threads=1, out=out))
        oof[fold] = out
    return RefitJob(
        **shared,
        class_texts=("-1", "0", "1"),
        class_values=(-1, 0, 1),
        oof=oof,
        threads=1,
        out=str(folder / "model"),
    )


@pytest.mark.parametrize("classifier", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_the_kept_model_is_the_fitted_one(
    classifier: Classifier, rows: Rows, tmp_path: Path
) -> None:
    result = refit(job(rows, tmp_path, classifier))
    model = load(Path(result.out), result.digest)
    frame = pq.read_table(rows.train).to_pandas()
    probabilities = model.probabilities(frame)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (model.decide(probabilities) == frame["__label"]).mean() > 0.6
    assert 0.5 < result.train_score <= 1.0
    assert model.class_values == (-1, 0, 1)
    seen = np.concatenate([frame["__key"], row_marks(frame["__row"])])
    np.testing.assert_array_equal(training_keys(Path(result.out), result.digest), np.unique(seen))


def test_fitting_again_replaces_what_a_killed_run_left(rows: Rows, tmp_path: Path) -> None:
    final = job(rows, tmp_path, CLASSIFIERS["logistic-regression"])
    for leftover in ("model", "model.part"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "half").write_text("torn")
    first, second = refit(final), refit(final)
    assert load(tmp_path / "model", second.digest).class_texts == ("-1", "0", "1")
    assert first.train_score == second.train_score
    assert not (tmp_path / "model.part").exists()


def test_a_model_that_answers_otherwise_from_disk_is_refused(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(folder: Path, digest: str | None) -> FittedModel:
        model = load(folder, digest)
        return FittedModel(**{**vars(model), "calibration": model.calibration.model_copy(
            update={"temperature": model.calibration.temperature * 2})})  # fmt: skip

    monkeypatch.setattr(learning.refit, "load", other)
    with pytest.raises(ModelRefused, match="read back, its probabilities differ by"):
        refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"]))
    assert not (tmp_path / "model").exists()
