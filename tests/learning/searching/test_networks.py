"""A network meets rows as any candidate does: fitted on all folds but one, which it answers."""

from pathlib import Path

import numpy as np
import pytest

import learning.neural.estimator
import learning.searching.folds
from learning.rows.sides import read_side
from learning.searching.folds import fit_fold
from schemas.features import Features
from schemas.label import Target
from schemas.samplers import NoResampling
from schemas.trials import Candidate, FoldJob
from tests.learning.neural.tiny import make_bert, settled
from tests.learning.samples import COLUMNS, KINDS, SINGLE, prepared_rows


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("encoder"))


def job(bert: Path, folder: Path, asked: tuple[Target, ...] = SINGLE) -> FoldJob:
    rows = prepared_rows(folder / "rows", rows=120, asked=asked)
    spec = settled(bert, training={"learning_rate": 5e-3, "epochs": 4})
    candidate = Candidate(features=Features(), imbalance=NoResampling(), classifier=spec)
    return FoldJob(
        candidate=candidate,
        columns=COLUMNS,
        targets=asked,
        rows=rows.train,
        fold=1,
        seed=3,
        threads=1,
        out=str(folder / "oof" / "answers.npy"),
    )


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_a_network_answers_each_row_of_its_fold_on_all_targets(
    asked: tuple[Target, ...], bert: Path, tmp_path: Path
) -> None:
    result = fit_fold(job(bert, tmp_path, asked))
    answers = np.load(result.out)
    assert answers.shape == (40, sum(target.classes for target in asked))
    np.testing.assert_allclose(answers.sum(axis=1), len(asked))


def test_a_network_learns_from_the_other_rows_and_leaves_no_checkpoint(
    bert: Path, tmp_path: Path
) -> None:
    asked = job(bert, tmp_path)
    result = fit_fold(asked)
    table = read_side(asked.rows, ["__label0", "__fold"])
    labels = table["__label0"].to_numpy()[table["__fold"].to_numpy() == 2]
    common = np.bincount(labels).max() / len(labels)
    assert (np.load(result.out).argmax(axis=1) == labels).mean() > common
    left = {path.suffix for path in Path(result.out).parent.iterdir()}
    assert left == {".npy", ".seconds", ".epochs"}


def test_a_fold_that_was_killed_after_its_fit_is_not_fitted_again(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job(bert, tmp_path)
    whole = learning.searching.folds._write

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def fitted_again(*_: object, **__: object) -> None:
        raise AssertionError("a step was taken again")

    monkeypatch.setattr(learning.searching.folds, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        fit_fold(asked)
    assert (tmp_path / "oof" / "answers.checkpoints").is_dir()
    monkeypatch.setattr(learning.searching.folds, "_write", whole)
    monkeypatch.setattr(learning.neural.estimator, "fitted", fitted_again)
    fit_fold(asked)
    assert np.load(asked.out).shape == (40, 3)
    assert not (tmp_path / "oof" / "answers.checkpoints").exists()
