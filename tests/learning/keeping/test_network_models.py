"""A kept network answers as the fitted one did, or is refused wherever it is asked for."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import learning.keeping.body_files
import learning.keeping.refit
from deployments.plans import load_plan
from learning.arrays import Keys
from learning.keeping.models import FittedModel, libraries_of, load, save, training_keys
from learning.keeping.refit import refit
from schemas.dataset import Dataset
from schemas.faults import ModelRefused
from schemas.manifest import Rows
from schemas.night import BASELINE
from schemas.trials import RefitJob, RefitResult
from tasks.judging import judge_night
from tasks.predicting import answer_file
from tasks.registry import save_pyfunc
from tests.learning.keeping.networks import SPOILT, WEIGHTS, refit_job
from tests.learning.neural.tiny import make_bert
from tests.learning.samples import COLUMNS, SINGLE, prepared_rows

damaged = pytest.mark.parametrize("how", SPOILT)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"), rows=120)


@pytest.fixture(scope="module")
def asked(bert: Path, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> RefitJob:
    return refit_job(bert, rows, tmp_path_factory.mktemp("final"))


@pytest.fixture(scope="module")
def fit(asked: RefitJob) -> RefitResult:
    return refit(asked)


@pytest.fixture
def copied(fit: RefitResult, tmp_path: Path) -> RefitResult:
    shutil.copytree(fit.out, tmp_path / "model")
    return fit.model_copy(update={"out": str(tmp_path / "model")})


@pytest.fixture
def spoilt(how: str, copied: RefitResult) -> RefitResult:
    SPOILT[how][0](Path(copied.out))
    return copied


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.judging.get_run_logger", lambda: None)


def test_a_kept_network_answers_whether_or_not_its_encoder_is_still_there(
    fit: RefitResult, rows: Rows, bert: Path, tmp_path: Path
) -> None:
    frame = pq.read_table(rows.train).to_pandas()
    model = load(Path(fit.out), fit.digest)
    before = model.answers(frame)
    assert model.targets == SINGLE
    shutil.move(bert, tmp_path / "elsewhere")
    try:
        after = load(Path(fit.out), fit.digest).answers(frame)
    finally:
        shutil.move(tmp_path / "elsewhere", bert)
    np.testing.assert_allclose(after.probabilities[0], before.probabilities[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(before.probabilities[0].sum(axis=1), 1.0)
    assert fit.train_score > 0.5
    assert [each.epoch for each in fit.history] == [1, 2, 3]
    assert fit.history[-1].train_loss < fit.history[0].train_loss
    assert len(training_keys(Path(fit.out), fit.digest)) == 240


def test_the_card_names_what_the_network_leans_on(fit: RefitResult) -> None:
    card = json.loads((Path(fit.out) / "model.json").read_text())
    assert card["layout"] == 3
    assert {"torch", "transformers", "tokenizers", "safetensors"} <= set(card["libraries"])
    assert libraries_of(Path(fit.out)) == card["libraries"]
    assert not (Path(fit.out).parent / "model.checkpoints").exists()


def test_a_loaded_network_can_be_saved_again(fit: RefitResult, rows: Rows, tmp_path: Path) -> None:
    frame = pq.read_table(rows.train).to_pandas()
    first = load(Path(fit.out), fit.digest)
    keys = np.array([1, 2], dtype=np.uint64)
    again = load(tmp_path / "m", save(first, tmp_path / "m", keys))
    np.testing.assert_allclose(
        again.probabilities(frame)[0], first.probabilities(frame)[0], rtol=0, atol=1e-6
    )


def test_texts_that_are_missing_are_answered(fit: RefitResult) -> None:
    model = load(Path(fit.out), fit.digest)
    frame = pd.DataFrame({"said": ["good great", None, float("nan"), ""]})
    answered = model.answers(frame).probabilities[0]
    assert answered.shape == (4, 3)
    np.testing.assert_allclose(answered[1:], answered[[3, 3, 3]], atol=1e-6)
    gone = model.answers(pd.DataFrame({"amount": [1.0]})).probabilities[0]
    np.testing.assert_allclose(gone[0], answered[3], atol=1e-6)
    assert model.answers(frame[:0]).decisions.shape == (0, 1)


@damaged
def test_no_model_is_calibrated_whose_weights_did_not_reach_the_disk(
    how: str, asked: RefitJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_badly(model: FittedModel, folder: Path, keys: Keys) -> str:
        digest = save(model, folder, keys)
        SPOILT[how][0](folder)
        return digest

    monkeypatch.setattr(learning.keeping.refit, "save", save_badly)
    with pytest.raises(ModelRefused, match=SPOILT[how][1]):
        refit(asked.model_copy(update={"out": str(tmp_path / "model")}))
    assert not (tmp_path / "model").exists()


@damaged
def test_no_judgement_hears_a_model_of_other_weights(
    how: str, spoilt: RefitResult, rows: Rows, tmp_path: Path
) -> None:
    plan = load_plan("comments")
    with pytest.raises(ModelRefused, match=SPOILT[how][1]):
        judge_night.fn(plan, rows, BASELINE, {BASELINE: spoilt}, None, tmp_path / "judged")


@damaged
def test_a_model_of_other_weights_is_not_registered(
    how: str, spoilt: RefitResult, tmp_path: Path
) -> None:
    with pytest.raises(ModelRefused, match=SPOILT[how][1]):
        save_pyfunc(Path(spoilt.out), spoilt.digest, load_plan("comments"), tmp_path / "pyfunc")
    assert not (tmp_path / "pyfunc").exists()


@damaged
def test_a_model_of_other_weights_predicts_nothing(
    how: str, spoilt: RefitResult, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text("said,amount\ngood great,1\n")
    dataset = Dataset(source="rows", columns=COLUMNS)
    with pytest.raises(ModelRefused, match=SPOILT[how][1]):
        answer_file(
            Path(spoilt.out), spoilt.digest, dataset, tmp_path / "new.csv", tmp_path / "out.csv"
        )
    assert not (tmp_path / "out.csv").exists()


def test_weights_of_another_fit_are_refused_also_where_the_manifest_agrees(
    copied: RefitResult,
) -> None:
    import hashlib

    folder = Path(copied.out)
    SPOILT["swapped"][0](folder)
    body = (folder / WEIGHTS).read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    told = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
    manifest["files"][WEIGHTS] = told
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelRefused, match=rf"{WEIGHTS} is not the file whose sha256"):
        load(folder, digest=None)


def test_without_the_extra_a_network_is_refused_with_what_to_install(
    fit: RefitResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.keeping.body_files, "lacking", lambda: ("torch",))
    with pytest.raises(ModelRefused, match=r"needs torch, not installed here; install the extra"):
        load(Path(fit.out), fit.digest)
