"""A fitted transformer as files that are data, and back as networks that only answer.

Weights are safetensors, all else is JSON or what a tokenizer reads: no pickle anywhere.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import safetensors.torch
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedTokenizerBase

from learning.neural.answering import NetworkAnswers
from learning.neural.encoders import load_tokenizer, without_pooler
from learning.neural.modules import HeadShape, Network, Pooling
from learning.neural.surroundings import quiet
from schemas.label import Target
from schemas.strict import Strict

CARD, CONFIG = "network.json", "encoder.json"
FILES = re.compile(
    r"network\.json|encoder\.json|weights-\d\.safetensors|tokenizer-[\w-]+(\.[\w-]+)+"
)
"""What a stored transformer's files may be called; `network.json` names all weights."""

_TOKENIZER = "tokenizer-"


class _Head(Strict):
    pooling: Pooling
    widths: tuple[int, ...]
    dropout: float
    layer_norm: bool
    initialisation: Literal["encoder", "xavier"]


class _Card(Strict):
    """All that the weights and the encoder's own settings don't tell."""

    format: Literal[1] = 1
    targets: tuple[Target, ...]
    columns: tuple[str, ...]
    max_tokens: int
    head: _Head
    weights: dict[str, str]
    """File -> sha256: another network's weights would fit just as well."""


def stored(answers: NetworkAnswers) -> dict[str, bytes]:
    """All that answering needs, by name; each name matches `FILES`."""
    weights = {
        f"weights-{place}.safetensors": safetensors.torch.save(
            {name: part.cpu().contiguous() for name, part in member.state_dict().items()}
        )
        for place, member in enumerate(answers.members)
    }
    first = answers.members[0]
    card = _Card(
        targets=answers.targets,
        columns=answers.columns,
        max_tokens=answers.max_tokens,
        head=_Head(**asdict(first.shape)),
        weights={name: hashlib.sha256(body).hexdigest() for name, body in weights.items()},
    )
    settings = first.encoder.config.to_dict()
    settings.pop("_name_or_path", None)  # a folder of the machine that trained
    return {
        CARD: card.model_dump_json(indent=2).encode(),
        CONFIG: json.dumps(settings, indent=2, sort_keys=True).encode(),
        **weights,
        **_tokenizer_files(answers.tokenizer),
    }


def restored(files: Mapping[str, bytes], threads: int) -> NetworkAnswers:
    """Answers as the stored one did; ValueError for files that are not whole, or swapped."""
    card = _card(files)
    with quiet(), torch.random.fork_rng():  # networks are drawn before they are filled
        tokenizer = _tokenizer(files)
        members = [
            _member(_checked(files, name, digest), files, card)
            for name, digest in sorted(card.weights.items())
        ]
    return NetworkAnswers(members, tokenizer, card.targets, card.columns, card.max_tokens, threads)


def _card(files: Mapping[str, bytes]) -> _Card:
    if CARD not in files:
        raise ValueError(f"expected {CARD}, got none")
    try:
        card = _Card.model_validate_json(files[CARD])
    except ValidationError as fault:
        raise ValueError(f"{CARD} can't be read") from fault
    if not card.weights or not card.targets:
        raise ValueError(f"{CARD} names no weights or no targets")
    strange = sorted(
        name
        for name in files
        if not FILES.fullmatch(name) or (name.startswith("weights-") and name not in card.weights)
    )
    if strange:
        raise ValueError(f"expected the files that {CARD} names, got {', '.join(strange)} too")
    return card


def _checked(files: Mapping[str, bytes], name: str, digest: str) -> bytes:
    body = files.get(name)
    if body is None:
        raise ValueError(f"expected {name}, got none")
    if hashlib.sha256(body).hexdigest() != digest:
        raise ValueError(f"{name} is not the file whose sha256 {CARD} has: cut short or swapped")
    return body


def _member(body: bytes, files: Mapping[str, bytes], card: _Card) -> Network:
    drawn = AutoModel.from_config(  # type: ignore[no-untyped-call]
        _config(files), dtype=torch.float32
    )
    encoder = without_pooler(drawn)
    network = Network(encoder, HeadShape(**card.head.model_dump()), card.targets)
    try:
        given = safetensors.torch.load(body)
    except SafetensorError as fault:
        raise ValueError("the weights can't be read") from fault
    wanted = {name: (part.shape, part.dtype) for name, part in network.state_dict().items()}
    found = {name: (part.shape, part.dtype) for name, part in given.items()}
    if found != wanted:
        odd = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise ValueError(
            f"expected the weights of this network, got {len(odd)} that are missing, too many or "
            f"of another shape ({', '.join(odd[:3])})"
        )
    network.load_state_dict(given, strict=True)
    return network.eval()


def _config(files: Mapping[str, bytes]) -> Any:
    try:
        settings = json.loads(files[CONFIG])
        kind = CONFIG_MAPPING[settings["model_type"]]
    except (KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"{CONFIG} can't be read") from fault
    if "auto_map" in settings:
        raise ValueError(f"{CONFIG} asks for code of its own (auto_map), which is not run")
    return kind.from_dict(settings)


def _tokenizer_files(tokenizer: PreTrainedTokenizerBase) -> dict[str, bytes]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:  # how the last texts were cut is no part of it
        backend.no_truncation()
        backend.no_padding()
    with TemporaryDirectory(prefix="nightshift-tokenizer-") as place:
        tokenizer.save_pretrained(place)
        return {
            f"{_TOKENIZER}{path.name}": path.read_bytes()
            for path in sorted(Path(place).iterdir())
            if path.is_file()
        }


def _tokenizer(files: Mapping[str, bytes]) -> PreTrainedTokenizerBase:
    own = {name: body for name, body in files.items() if name.startswith(_TOKENIZER)}
    settings = own.get(f"{_TOKENIZER}tokenizer_config.json", b"{}")
    if not own or b'"auto_map"' in settings:
        raise ValueError("expected a tokenizer's files that ask for no code, got others")
    with TemporaryDirectory(prefix="nightshift-tokenizer-") as place:
        for name, body in own.items():
            (Path(place) / name.removeprefix(_TOKENIZER)).write_bytes(body)
        try:
            return load_tokenizer(Path(place))
        except (OSError, ValueError, KeyError, TypeError) as fault:
            kind = type(fault).__name__
            raise ValueError(f"the tokenizer can't be read ({kind})") from fault
