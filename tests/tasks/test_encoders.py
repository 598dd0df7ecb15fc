"""An encoder is here before the night begins, or the night does not begin."""

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from httpx import ConnectError, Request, Response
from huggingface_hub.errors import RepositoryNotFoundError

import tasks.encoders
from deployments.plans import load_plan
from schemas.faults import EncoderMissing, NightFailed, PlanError
from schemas.plan import Plan
from schemas.transformers import Encoder
from tasks.encoders import FILES, encoders, fetch_encoder, refuse_widths
from tests.learning.neural.tiny import make_bert

HUB = Encoder(model="owner/name", revision="0" * 40)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Log:
        def info(self, *said: object) -> None:
            """Tell nobody."""

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("tasks.encoders.get_run_logger", Log)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def test_a_plan_names_the_encoders_of_its_transformers() -> None:
    assert [each.model for each in encoders(load_plan("wellbeing"))] == [
        "google-bert/bert-base-uncased"
    ]
    assert encoders(load_plan("comments")) == ()


def test_a_folder_is_only_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _refused)
    folder = make_bert(tmp_path / "bert")
    assert fetch_encoder.fn(Encoder(model=str(folder))) == str(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(EncoderMissing, match=r"expected model\.safetensors in"):
        fetch_encoder.fn(Encoder(model=str(folder)))


def test_of_a_model_on_the_hub_only_numbers_and_words_are_fetched_at_its_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    folder = make_bert(tmp_path / "hub" / "models--owner--name" / "snapshots" / ("0" * 40))
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()

    def fetched(name: str, **told: Any) -> str:
        asked.update(told, name=name)
        if "allow_patterns" in told:
            (folder / "model.safetensors").write_bytes(weights)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetched)
    assert fetch_encoder.fn(HUB) == str(folder)
    assert asked["name"] == "owner/name"
    assert asked["revision"] == "0" * 40
    assert "safetensors" in FILES[0]
    assert not any("bin" in pattern or "py" in pattern for pattern in FILES)


@pytest.mark.parametrize(
    ("raised", "fault", "told"),
    [
        (ConnectError("no"), NightFailed, r"from the hub, got no answer \(ConnectError\)"),
        (TimeoutError("no"), NightFailed, r"from the hub, got no answer \(TimeoutError\)"),
        (
            RepositoryNotFoundError(
                "no", response=Response(404, request=Request("GET", "http://hub"))
            ),
            EncoderMissing,
            "got RepositoryNotFoundError. Correct the encoder in the plan's families",
        ),
    ],
    ids=["no line", "no answer", "no model"],
)
def test_what_the_hub_does_not_give_is_told(
    raised: Exception, fault: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(name: str, **asked: Any) -> str:
        if asked.get("local_files_only"):
            raise OSError("not in the cache")
        raise raised

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fails)
    with pytest.raises(fault, match=told):
        fetch_encoder.fn(HUB)


def test_offline_a_model_that_is_not_in_the_cache_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderMissing, match="HF_HUB_OFFLINE forbids to fetch it"):
        fetch_encoder.fn(HUB)


def test_without_the_extra_the_night_ends_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.encoders, "lacking", lambda: ("torch", "transformers"))
    with pytest.raises(EncoderMissing, match=r"Expected torch, transformers .*; install the extra"):
        fetch_encoder.fn(HUB)


def test_a_frozen_encoder_is_fetched_too_and_must_be_as_wide_as_the_plan_says(
    tmp_path: Path,
) -> None:
    folder = str(make_bert(tmp_path / "bert"))

    def plan(dimension: int) -> Plan:
        told = {"encoder": {"model": folder}, "dimension": dimension}
        family = {"classifier": {"kind": "logistic-regression"}}
        return Plan.model_validate(
            {
                "name": "mine",
                "dataset": {"source": "rows", "columns": {"text": "text"}},
                "label": {"column": "sign", "classes": ["no", "yes"]},
                "families": [
                    family | {"features": {"text": {"embedding": told}}},
                    {
                        "classifier": {"kind": "nb-svm"},
                        "features": {"text": {"embedding": told}},
                    },
                ],
            }
        )

    assert [each.model for each in encoders(plan(32))] == [folder]
    refuse_widths(plan(32))
    with pytest.raises(PlanError, match=r"embedding\.dimension: expected 32, .*, got 384; correct"):
        refuse_widths(plan(384))


def _refused(*_: object, **__: object) -> str:
    raise AssertionError("the hub was asked")
