"""The finalist is kept whole, calibrated, and answers from disk as it did in memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import learning.keeping.refit
from learning.deciding.calibration import apply
from learning.deciding.priors import shifted
from learning.keeping.models import FittedModel, load, training_keys
from learning.keeping.refit import refit
from learning.reading.marks import row_marks
from learning.rows.sides import row_references
from learning.searching.folds import fit_fold
from schemas.classifiers import Classifier
from schemas.faults import ModelRefused
from schemas.features import Features, TextFeatures
from schemas.label import Target
from schemas.manifest import Rows, label_columns
from schemas.objectives import MacroF1
from schemas.samplers import NoResampling, Smote
from schemas.trials import Candidate, FoldJob, RefitJob
from tests.learning.kinds import CLASSIFIERS
from tests.learning.samples import COLUMNS, FOLDS, KINDS, SINGLE, prepared_rows, write_rows


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"), rows=180)


def job(
    rows: Rows, folder: Path, classifier: Classifier, asked: tuple[Target, ...] = SINGLE
) -> RefitJob:
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=1)),
        imbalance=Smote(),
        classifier=classifier,
    )
    shared = {"candidate": candidate, "columns": COLUMNS, "rows": rows.train, "seed": 0}
    oof = {}
    for fold in range(FOLDS):
        out = str(folder / f"oof-{fold}.npy")
        fit_fold(FoldJob(**shared, fold=fold, targets=asked, threads=1, out=out))
        oof[fold] = out
    return RefitJob(
        **shared,
        targets=asked,
        objective=MacroF1(),
        calibration="auto",
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
    answers = model.answers(frame)
    np.testing.assert_allclose(answers.probabilities[0].sum(axis=1), 1.0)
    assert (answers.decisions[:, 0] == frame["__label0"]).mean() > 0.6
    assert 0.5 < result.train_score <= 1.0
    assert model.targets == SINGLE
    seen = np.concatenate([frame["__key"], row_marks(row_references(rows.train))])
    np.testing.assert_array_equal(training_keys(Path(result.out), result.digest), np.unique(seen))


def test_fitting_again_replaces_what_a_killed_run_left(rows: Rows, tmp_path: Path) -> None:
    final = job(rows, tmp_path, CLASSIFIERS["logistic-regression"])
    for leftover in ("model", "model.part"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "half").write_text("torn")
    first, second = refit(final), refit(final)
    assert load(tmp_path / "model", second.digest).targets == SINGLE
    assert first.train_score == second.train_score
    assert not (tmp_path / "model.part").exists()


def test_a_model_that_answers_otherwise_from_disk_is_refused(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(folder: Path, digest: str | None) -> FittedModel:
        model = load(folder, digest)
        (head,) = model.heads
        return replace(model, heads=(replace(head, shift=(1.0, 0.0, 0.0)),))

    monkeypatch.setattr(learning.keeping.refit, "load", other)
    with pytest.raises(ModelRefused, match="read back, its probabilities differ by"):
        refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"]))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_every_label_kind_is_fitted_kept_and_decided(
    asked: tuple[Target, ...], tmp_path: Path
) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=180, asked=asked)
    result = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"], asked))
    model = load(Path(result.out), result.digest)
    frame = pq.read_table(rows.train).to_pandas()
    decisions = model.answers(frame).decisions
    assert model.targets == asked
    assert decisions.shape == (180, len(asked))
    for place, name in enumerate(label_columns(len(asked))):
        assert (decisions[:, place] == frame[name]).mean() > 0.6
    assert 0.5 < result.train_score <= 1.0


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_the_choice_of_calibration_is_told_of_each_target(
    asked: tuple[Target, ...], tmp_path: Path
) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=600, asked=asked)
    result = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"], asked))
    heads = load(Path(result.out), result.digest).heads
    assert [choice.target for choice in result.calibrations] == [target.name for target in asked]
    assert [c.kind for c in result.calibrations] == [head.calibration.kind for head in heads]
    assert [c.prior_shift for c in result.calibrations] == [any(head.shift) for head in heads]
    errors = np.array([(choice.ece_before, choice.ece_after) for choice in result.calibrations])
    assert errors[:, 1].mean() < errors[:, 0].mean()  # SMOTE makes rare classes too likely
    for choice, target in zip(result.calibrations, asked, strict=True):
        ranked = [c for c, area in enumerate(choice.average_precision) if area is not None]
        assert ranked == list(target.counted)
        assert all(choice.average_precision[c] > 0.3 for c in ranked)


def test_rows_that_no_split_scores_have_no_part_in_the_calibration(tmp_path: Path) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=600)
    frame = pq.read_table(rows.train)
    folds = np.where(np.arange(600) % 5 == 0, 0, frame["__fold"].to_numpy()).astype(np.int32)
    place = frame.schema.get_field_index("__fold")
    write_rows(frame.set_column(place, "__fold", pa.array(folds)), Path(rows.train))
    (choice,) = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"])).calibrations
    assert choice.ece_after < choice.ece_before


def test_without_resampling_and_calibration_nothing_is_moved(rows: Rows, tmp_path: Path) -> None:
    final = job(rows, tmp_path, CLASSIFIERS["logistic-regression"])
    recipe = final.candidate.model_copy(update={"imbalance": NoResampling()})
    final = final.model_copy(update={"candidate": recipe, "calibration": "none"})
    result = refit(final)
    (choice,) = result.calibrations
    assert (choice.kind, choice.prior_shift) == ("none", False)
    assert choice.ece_before == choice.ece_after
    model = load(Path(result.out), result.digest)
    frame = pq.read_table(rows.train).to_pandas()
    np.testing.assert_array_equal(model.raw_probabilities(frame), model.probabilities(frame))


def test_what_the_classifiers_said_comes_before_shift_and_calibration(
    rows: Rows, tmp_path: Path
) -> None:
    result = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"]))
    model = load(Path(result.out), result.digest)
    (head,), frame = model.heads, pq.read_table(rows.train).to_pandas()
    (raw,) = model.raw_probabilities(frame)
    calibrated = apply(head.calibration, shifted(raw, head.shift))
    np.testing.assert_array_equal(calibrated, model.probabilities(frame)[0])
    assert raw[:, 0].mean() > calibrated[:, 0].mean()  # the rare class was made common


def test_the_settings_are_told_by_path_and_not_of_roles_that_no_column_has(
    rows: Rows, tmp_path: Path
) -> None:
    told = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"])).settings
    assert told["classifier.kind"] == "logistic-regression"
    assert told["imbalance.kind"] == "smote"
    assert told["features.text.weighting"] == "binary"
    assert told["features.number.scale"] == "standard"
    assert not [name for name in told if name.startswith(("features.category", "classifier.first"))]


def test_the_prior_that_a_sampler_puts_in_is_taken_out_again(tmp_path: Path) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=900)
    result = refit(job(rows, tmp_path, CLASSIFIERS["logistic-regression"]))
    model = load(Path(result.out), result.digest)
    frame = pq.read_table(rows.train).to_pandas()
    shares = np.bincount(frame["__label0"]) / len(frame)
    assert model.heads[0].shift[0] < model.heads[0].shift[1]  # the rare class was made common
    np.testing.assert_allclose(model.probabilities(frame)[0].mean(axis=0), shares, atol=0.02)
