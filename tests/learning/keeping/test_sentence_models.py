"""A model on a frozen encoder's vectors keeps the encoder, and answers by no other."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import learning.keeping.body_files
from learning.features.sentences import sentence_steps
from learning.keeping.models import load, save, training_keys
from learning.keeping.refit import refit
from learning.searching.folds import fit_fold
from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.faults import ModelRefused
from schemas.features import Features
from schemas.manifest import Rows
from schemas.objectives import MacroF1
from schemas.samplers import Smote
from schemas.trials import Candidate, FoldJob, RefitJob, RefitResult
from tests.learning.neural.tiny import make_bert
from tests.learning.samples import COLUMNS, FOLDS, SINGLE, prepared_rows

TREES = LightGBM(
    rounds=20, learning_rate=0.1, num_leaves=8, min_child_samples=5, colsample_bytree=0.5,
    reg_lambda=0.1,
)  # fmt: skip
WEIGHTS = "encoder-model.safetensors"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("encoder") / "bert")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"), rows=150)


def job(bert: Path, rows: Rows, folder: Path, classifier: Classifier) -> RefitJob:
    embedding = {"encoder": {"model": str(bert)}, "dimension": 32, "max_tokens": 16}
    candidate = Candidate(
        features=Features.model_validate({"text": {"words": False, "embedding": embedding}}),
        imbalance=Smote(k_neighbors=3),
        classifier=classifier,
    )
    vectors = str(folder / "vectors")
    shared = {"candidate": candidate, "columns": COLUMNS, "rows": rows.train, "seed": 0}
    shared |= {"targets": SINGLE, "threads": 1, "vectors": vectors}
    oof = {}
    for fold in range(FOLDS):
        oof[fold] = str(folder / f"oof-{fold}.npy")
        fit_fold(FoldJob(**shared, fold=fold, out=oof[fold]))
    return RefitJob(
        **shared, objective=MacroF1(), calibration="auto", oof=oof, out=str(folder / "model")
    )


@pytest.fixture(scope="module")
def kept(bert: Path, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> RefitResult:
    return refit(job(bert, rows, tmp_path_factory.mktemp("final"), LogisticRegression(C=10.0)))


@pytest.fixture
def frame(rows: Rows) -> pd.DataFrame:
    read: pd.DataFrame = pq.read_table(rows.train).to_pandas()
    return read


def test_trees_learn_of_the_vectors_and_are_kept_as_they_were_fitted(
    bert: Path, rows: Rows, frame: pd.DataFrame, tmp_path: Path
) -> None:
    result = refit(job(bert, rows, tmp_path, TREES))
    answers = load(Path(result.out), result.digest).answers(frame)
    assert (answers.decisions[:, 0] == frame["__label0"]).mean() > 0.6
    assert result.settings["features.text.embedding.dimension"] == 32


def test_a_kept_model_answers_where_its_encoder_is_not(
    bert: Path, rows: Rows, frame: pd.DataFrame, tmp_path: Path
) -> None:
    own = tmp_path / "bert"
    shutil.copytree(bert, own)
    result = refit(job(own, rows, tmp_path, LogisticRegression(C=10.0)))
    shutil.rmtree(own)
    shutil.rmtree(tmp_path / "vectors")
    model = load(Path(result.out), result.digest)
    answers = model.answers(frame)
    assert (answers.decisions[:, 0] == frame["__label0"]).mean() > 0.6
    alone = np.vstack([model.probabilities(frame.iloc[[row]])[0] for row in range(9)])
    np.testing.assert_allclose(alone, answers.probabilities[0][:9], atol=1e-5)
    assert len(model.answers(frame.head(0)).decisions) == 0


def test_the_kept_encoder_is_the_given_one_byte_for_byte(kept: RefitResult, bert: Path) -> None:
    named = {path.name for path in Path(kept.out).iterdir() if path.name.startswith("encoder-")}
    assert {WEIGHTS, "encoder-config.json", "encoder-tokenizer.json"} <= named
    for name in named:
        own = bert / name.removeprefix("encoder-")
        assert (Path(kept.out) / name).read_bytes() == own.read_bytes()


def test_a_model_that_was_read_can_be_kept_again(
    kept: RefitResult, frame: pd.DataFrame, tmp_path: Path
) -> None:
    model = load(Path(kept.out), kept.digest)
    digest = save(model, tmp_path / "again", training_keys(Path(kept.out), kept.digest))
    again = load(tmp_path / "again", digest)
    np.testing.assert_array_equal(again.probabilities(frame)[0], model.probabilities(frame)[0])


@pytest.mark.parametrize("how", ["deleted", "truncated", "swapped"])
def test_a_spoilt_encoder_is_refused(kept: RefitResult, how: str, tmp_path: Path) -> None:
    shutil.copytree(kept.out, tmp_path / "model")
    path = tmp_path / "model" / WEIGHTS
    body = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(body[: len(body) // 2] if how == "truncated" else body[::-1])
    with pytest.raises(ModelRefused, match=rf"{WEIGHTS} (missing|has .* bytes|was changed)"):
        load(tmp_path / "model", kept.digest)


def test_a_whole_encoder_that_is_another_one_is_refused_though_the_folder_is_sealed(
    kept: RefitResult, tmp_path: Path
) -> None:
    """As somebody would who has the manifest's digest in hand, too."""
    other = make_bert(tmp_path / "other", seed=5)
    model = load(Path(kept.out), kept.digest)
    for step in sentence_steps(model.body.features):  # type: ignore[union-attr]
        step.files_ = step.files_ | {
            "model.safetensors": (other / "model.safetensors").read_bytes()
        }
    with pytest.raises(ValueError, match="its files are not those of the fit"):
        save(model, tmp_path / "model", np.zeros(1, dtype=np.uint64))


def test_without_the_extra_such_a_model_says_what_to_install(
    kept: RefitResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.keeping.body_files, "lacking", lambda: ("torch",))
    with pytest.raises(ModelRefused, match="it needs torch, not installed here; install the extra"):
        load(Path(kept.out), kept.digest)
