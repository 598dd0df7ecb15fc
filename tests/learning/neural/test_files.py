"""A fitted transformer as files, and what is refused of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch

from learning.neural.answering import NetworkAnswers
from learning.neural.estimator import TransformerClassifier
from learning.neural.files import CARD, CONFIG, FILES, restored, stored
from tests.learning.neural.tiny import LENGTH, MOOD, rows, settled

WEIGHTS = "weights-0.safetensors"


def fitted(bert: Path, seed: int = 1, precision: str = "fp32", **head: object) -> NetworkAnswers:
    training = {"epochs": 1, "seeds": 2, "precision": precision}
    spec = settled(bert, training=training, head=head)
    estimator = TransformerClassifier(spec, (MOOD, LENGTH), ("text",), seed, threads=1)
    return estimator.fit(*rows(24)).answers_


@pytest.fixture(scope="module")
def answers(bert: Path) -> NetworkAnswers:
    return fitted(bert)


@pytest.fixture(scope="module")
def files(answers: NetworkAnswers) -> dict[str, bytes]:
    return stored(answers)


HEADS: list[dict[str, Any]] = [
    {},
    {"precision": "bf16"},
    {"pooling": "attention", "hidden_layers": 2, "hidden_width": 16, "halving": True},
    {"pooling": "last4-mean", "layer_norm": True, "hidden_layers": 1, "hidden_width": 8},
]


@pytest.mark.parametrize("head", HEADS, ids=["plain", "bf16", "attention", "last4-mean"])
def test_what_is_restored_has_the_same_logits(bert: Path, head: dict[str, Any]) -> None:
    answers = fitted(bert, **head)
    frame, _ = rows(30, seed=5)
    back = restored(stored(answers), threads=1)
    for before, after in zip(answers.logits(frame), back.logits(frame), strict=True):
        np.testing.assert_array_equal(before, after)
    for told, again in zip(answers.predict_proba(frame), back.predict_proba(frame), strict=True):
        np.testing.assert_array_equal(told, again)


def test_what_is_restored_is_stored_as_before(files: dict[str, bytes]) -> None:
    assert stored(restored(files, threads=1)) == files


def test_every_file_has_a_name_that_a_model_may_have(files: dict[str, bytes]) -> None:
    assert [name for name in files if not FILES.fullmatch(name)] == []
    assert {CARD, CONFIG, WEIGHTS, "weights-1.safetensors"} <= set(files)


def test_no_file_tells_where_it_was_trained(bert: Path, files: dict[str, bytes]) -> None:
    assert [name for name, body in files.items() if str(bert).encode() in body] == []


@pytest.mark.parametrize("name", [CARD, CONFIG, WEIGHTS, "weights-1.safetensors"])
def test_a_file_that_is_gone_is_missed(files: dict[str, bytes], name: str) -> None:
    with pytest.raises(ValueError, match=rf"expected {name}, got none|{name} can't be read"):
        restored({other: body for other, body in files.items() if other != name}, threads=1)


def test_a_tokenizer_that_is_gone_is_missed(files: dict[str, bytes]) -> None:
    left = {name: body for name, body in files.items() if not name.startswith("tokenizer-")}
    with pytest.raises(ValueError, match="expected a tokenizer's files"):
        restored(left, threads=1)


def test_weights_cut_short_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=f"{WEIGHTS} is not the file"):
        restored({**files, WEIGHTS: files[WEIGHTS][:-4]}, threads=1)


def test_weights_of_another_fit_are_refused(bert: Path, files: dict[str, bytes]) -> None:
    other = stored(fitted(bert, seed=9))
    with pytest.raises(ValueError, match=f"{WEIGHTS} is not the file"):
        restored({**files, WEIGHTS: other[WEIGHTS]}, threads=1)


def test_members_swapped_are_refused(files: dict[str, bytes]) -> None:
    second = "weights-1.safetensors"
    swapped = {**files, WEIGHTS: files[second], second: files[WEIGHTS]}
    with pytest.raises(ValueError, match=f"{WEIGHTS} is not the file"):
        restored(swapped, threads=1)


def told_anew(files: dict[str, bytes], body: bytes) -> dict[str, bytes]:
    """The files with other weights, and a card that agrees to them."""
    from hashlib import sha256

    card = json.loads(files[CARD])
    card["weights"][WEIGHTS] = sha256(body).hexdigest()
    return {**files, WEIGHTS: body, CARD: json.dumps(card).encode()}


def test_a_missing_key_is_never_drawn_at_random(files: dict[str, bytes]) -> None:
    weights = safetensors.torch.load(files[WEIGHTS])
    weights.pop("heads.0.1.weight")
    with pytest.raises(ValueError, match=r"got 1 that are missing.*heads\.0\.1\.weight"):
        restored(told_anew(files, safetensors.torch.save(weights)), threads=1)


def test_a_key_too_many_is_refused(files: dict[str, bytes]) -> None:
    weights = safetensors.torch.load(files[WEIGHTS])
    weights["heads.9.weight"] = weights["heads.0.1.weight"].clone()
    with pytest.raises(ValueError, match=r"got 1 that are missing, too many.*heads\.9"):
        restored(told_anew(files, safetensors.torch.save(weights)), threads=1)


@pytest.mark.parametrize("half", [False, True], ids=["shape", "type"])
def test_a_tensor_of_another_kind_is_refused(files: dict[str, bytes], half: bool) -> None:
    weights = safetensors.torch.load(files[WEIGHTS])
    tensor = weights["heads.0.1.weight"]
    weights["heads.0.1.weight"] = tensor.half() if half else tensor[:2].clone()
    with pytest.raises(ValueError, match=r"of another shape \(heads\.0\.1\.weight\)"):
        restored(told_anew(files, safetensors.torch.save(weights)), threads=1)


def test_bytes_that_are_no_safetensors_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="the weights can't be read"):
        restored(told_anew(files, b"\x80\x04K\x01."), threads=1)


def test_code_of_a_models_own_is_refused(files: dict[str, bytes]) -> None:
    settings = {**json.loads(files[CONFIG]), "auto_map": {"AutoModel": "evil.Model"}}
    with pytest.raises(ValueError, match="code of its own"):
        restored({**files, CONFIG: json.dumps(settings).encode()}, threads=1)


def test_a_file_that_the_card_does_not_name_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"got weights-2\.safetensors too"):
        restored({**files, "weights-2.safetensors": b""}, threads=1)
