"""What a plan may say of a transformer."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.knobs import open_knobs, settle
from schemas.transformers import Encoder, Head, Training, Transformer

COMMIT = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"


@pytest.mark.parametrize("model", ["./bert", "../bert", "/models/bert", "~/bert"])
def test_a_folder_has_no_revision(model: str) -> None:
    assert Encoder(model=model).is_folder
    with pytest.raises(ValidationError, match="a folder has no revision"):
        Encoder(model=model, revision=COMMIT)


@pytest.mark.parametrize("model", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_a_name_needs_the_commit_that_is_meant(model: str) -> None:
    assert not Encoder(model=model, revision=COMMIT).is_folder
    for revision in (None, "main", COMMIT[:-1]):
        with pytest.raises(ValidationError, match="expected the 40 hexadecimal digits"):
            Encoder(model=model, revision=revision)


def test_what_is_neither_a_name_nor_a_folder_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected a model's name \(owner/name\)"):
        Encoder(model="models/of/mine", revision=COMMIT)


def test_patience_needs_rows_to_be_scored() -> None:
    with pytest.raises(ValidationError, match="expected validation_share above 0"):
        Training(patience=2)
    assert Training(patience=2, validation_share=0.1).patience == 2


def test_a_width_that_can_not_be_halved_so_often_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected hidden_width of at least 32"):
        Head(hidden_layers=4, hidden_width=16, halving=True)
    assert Head(hidden_layers=4, hidden_width=32, halving=True).hidden_width == 32


def test_the_points_to_begin_with_settle_every_knob_that_is_open() -> None:
    spec = Transformer(encoder=Encoder(model="./bert"))
    for point in spec.first:
        assert set(point) == set(open_knobs(spec))
        assert open_knobs(settle(spec, point)) == {}


@pytest.mark.parametrize(
    "parts",
    [{"loss": {"gamma": 2.0}}, {"tasks": {"mood": {"wieght": 1.0}}}, {"pooling": "mean"}],
    ids=["loss", "task", "top"],
)
def test_an_unknown_name_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Transformer.model_validate({"encoder": {"model": "./bert"}, **parts})
