"""Pretrained encoders: where they are looked for, and what is refused of them."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.folders import located
from schemas.faults import EncoderMissing
from schemas.transformers import Encoder
from tests.learning.neural.tiny import make_bert, settings

HUB = Encoder(model="nobody/nothing-of-the-kind", revision="0" * 40)


def folder(path: Path) -> Encoder:
    return Encoder(model=str(path))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return make_bert(tmp_path / "bert")


def rewrite(path: Path, **more: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))


def test_an_encoder_is_loaded_in_float32_without_its_pooler(bert: Path) -> None:
    encoder = load_encoder(folder(bert), located(folder(bert)))
    assert {part.dtype for part in encoder.parameters()} == {torch.float32}
    assert [name for name, _ in encoder.named_parameters() if "pooler" in name] == []
    assert load_tokenizer(bert).tokenize("good table") == ["good", "table"]


def test_loading_says_nothing(bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_encoder(folder(bert), bert)
    load_tokenizer(bert)
    assert capfd.readouterr() == ("", "")


def test_weights_of_half_the_size_are_read_as_float32(own: Path) -> None:
    weights = safetensors.torch.load_file(own / "model.safetensors")
    halves = {name: part.half() for name, part in weights.items()}
    safetensors.torch.save_file(halves, own / "model.safetensors", metadata={"format": "pt"})
    rewrite(own / "config.json", dtype="float16")
    assert {part.dtype for part in load_encoder(folder(own), own).parameters()} == {torch.float32}


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EncoderMissing, match=r"got nothing at .*Put the whole model there"):
        located(folder(tmp_path / "gone"))


def test_a_name_that_is_not_in_the_cache_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EncoderMissing, match=r"revision 0{40} in the local cache.*Download it"):
        located(HUB)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("config.json", r"expected config\.json in .*, got none"),
        ("model.safetensors", r"expected model\.safetensors in .*, got none\."),
    ],
)
def test_a_file_that_is_missing_is_told(own: Path, name: str, told: str) -> None:
    (own / name).unlink()
    with pytest.raises(EncoderMissing, match=told):
        located(folder(own))


def test_a_tokenizer_that_is_missing_is_told(own: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        (own / name).unlink()
    with pytest.raises(EncoderMissing, match=r"expected a tokenizer \(tokenizer\.json\)"):
        located(folder(own))


def test_pickled_weights_alone_are_refused(own: Path) -> None:
    (own / "model.safetensors").rename(own / "pytorch_model.bin")
    with pytest.raises(EncoderMissing, match=r"only pytorch_model\.bin \(a pickle\)"):
        located(folder(own))


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_a_models_own_is_refused(own: Path, name: str) -> None:
    rewrite(own / name, auto_map={"AutoModel": "modeling_evil.Evil"})
    with pytest.raises(EncoderMissing, match=rf"{name} in .* asks for code of its own"):
        located(folder(own))


def test_settings_that_are_no_json_are_told(own: Path) -> None:
    (own / "config.json").write_text("{")
    with pytest.raises(EncoderMissing, match=r"config\.json is no JSON"):
        located(folder(own))


def test_an_unknown_kind_of_network_is_refused(own: Path) -> None:
    rewrite(own / "config.json", model_type="nobodys-network")
    with pytest.raises(EncoderMissing, match=r"can't be read \(ValueError\)"):
        load_encoder(folder(own), located(folder(own)))


def test_weights_cut_short_are_refused(own: Path) -> None:
    body = (own / "model.safetensors").read_bytes()
    (own / "model.safetensors").write_bytes(body[:-100])
    with pytest.raises(EncoderMissing, match="can't be read"):
        load_encoder(folder(own), located(folder(own)))


def test_a_tensor_that_is_missing_is_not_drawn_at_random(own: Path) -> None:
    weights = safetensors.torch.load_file(own / "model.safetensors")
    weights.pop("encoder.layer.1.output.dense.weight")
    safetensors.torch.save_file(weights, own / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderMissing, match=r"lack 1 tensors \(encoder\.layer\.1\.output"):
        load_encoder(folder(own), located(folder(own)))


def test_a_pooler_that_is_missing_is_no_matter(own: Path) -> None:
    weights = safetensors.torch.load_file(own / "model.safetensors")
    left = {name: part for name, part in weights.items() if not name.startswith("pooler.")}
    assert len(left) < len(weights)
    safetensors.torch.save_file(left, own / "model.safetensors", metadata={"format": "pt"})
    encoder = load_encoder(folder(own), located(folder(own)))
    assert encoder.config.hidden_size == settings(own)["hidden_size"]
