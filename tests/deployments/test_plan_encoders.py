"""A plan's check says what its transformers will lack."""

from pathlib import Path

import huggingface_hub
import pytest

import deployments.plan_encoders
from deployments.plan_encoders import encoder_notes
from deployments.plans import load_plan
from schemas.faults import PlanError
from tests.learning.neural.tiny import make_bert

PLAN = """\
name: mine
dataset: {source: rows, columns: {text: text}}
label: {column: sign, classes: ["no", "yes"]}
families: [{classifier: {kind: transformer, encoder: {model: ./encoder}}}]
"""


def test_a_folder_must_be_an_encoders(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PLAN)
    plan = load_plan(str(tmp_path / "mine.yaml"))
    with pytest.raises(PlanError, match=r"families\.0\.classifier\.encoder: .* got nothing at"):
        encoder_notes(plan)
    make_bert(tmp_path / "encoder")
    assert encoder_notes(plan) == ()


def test_a_frozen_encoder_must_be_there_and_as_wide_as_the_plan_says(tmp_path: Path) -> None:
    embedding = "{encoder: {model: ./encoder}}"
    features = f"features: {{text: {{embedding: {embedding}}}}}"
    frozen = f"{{classifier: {{kind: logistic-regression}}, {features}}}"
    path = tmp_path / "mine.yaml"
    path.write_text(PLAN.partition("families")[0] + f"families: [{frozen}]\n")
    plan = load_plan(str(path))
    with pytest.raises(
        PlanError, match=r"families\.0\.features\.text\.embedding\.encoder: .*got noth"
    ):
        encoder_notes(plan)
    make_bert(tmp_path / "encoder")
    with pytest.raises(
        PlanError, match=r"embedding\.dimension: expected 32, .* got 384; correct it"
    ):
        encoder_notes(plan)
    path.write_text(path.read_text().replace("./encoder}", "./encoder}, dimension: 32"))
    assert encoder_notes(load_plan(str(path))) == ()


def test_a_model_on_the_hub_is_told_to_be_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    (told,) = encoder_notes(load_plan("wellbeing"))
    assert told == (
        "google-bert/bert-base-uncased is not on this machine: the first night downloads it"
    )


def test_without_the_extra_the_check_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deployments.plan_encoders, "lacking", lambda: ("torch",))
    (told,) = encoder_notes(load_plan("polarization"))
    assert told.startswith("a night needs torch, which are not installed; install the extra")
    assert encoder_notes(load_plan("comments")) == ()
