"""Where a fit is kept from epoch to epoch, and how it is known to be the same one."""

import hashlib
import json
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from learning.neural.epochs import Epoch, TargetScore
from learning.neural.lessons import Lesson
from learning.neural.modules import Network

_CARD, _WEIGHTS, _STATE = "fit.json", "finished.safetensors", "trainer_state.json"


def fingerprint(lesson: Lesson, encoder: Path) -> str:
    """Of all that makes a fit what it is: settings, rows, seed, pretrained weights, libraries."""
    told = hashlib.sha256(lesson.spec.model_dump_json().encode())
    for target in lesson.targets:
        told.update(target.model_dump_json().encode())
    weights = [(path.name, path.stat().st_size, path.stat().st_mtime_ns)
               for path in sorted(encoder.glob("*.safetensors"))]  # fmt: skip
    libraries = [version("torch"), version("transformers")]
    told.update(json.dumps([lesson.seed, weights, libraries]).encode())
    for examples in (lesson.train, lesson.held):
        if examples is not None:
            told.update(examples.tokens.ids.tobytes())
            told.update(examples.tokens.starts.tobytes())
            told.update(np.ascontiguousarray(examples.rows).tobytes())
            told.update(examples.labels.numpy().tobytes())
            told.update(examples.weights.numpy().tobytes())
    return told.hexdigest()


class Checkpoints:
    """The folder of one member's fit. What another fit left in it is removed."""

    def __init__(self, folder: Path, fit: str) -> None:
        self.folder, self.fit = folder, fit
        if self._card().get("fit") != fit:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._write({"fit": fit})

    def last(self) -> Path | None:
        """The last whole checkpoint; one that was cut off while it was written is removed."""
        found = sorted(
            self.folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"),
            key=lambda path: int(path.name.rpartition("-")[2]),
        )
        while found:
            last = found.pop()
            if _whole(last):
                return last
            shutil.rmtree(last)
        return None

    def finished(self, network: Network) -> tuple[Epoch, ...] | None:
        """The epochs of a fit that was over, its weights now in the network."""
        card = self._card()
        body = self._weights(card.get("sha256"))
        if "epochs" not in card or body is None:
            return None
        network.load_state_dict(safetensors.torch.load(body))
        network.eval()
        return tuple(_epoch(told) for told in card["epochs"])

    def finish(self, network: Network, epochs: tuple[Epoch, ...]) -> None:
        """Keep what the fit came to, in place of the way to it."""
        body = safetensors.torch.save(
            {name: part.cpu().contiguous() for name, part in network.state_dict().items()}
        )
        (self.folder / _WEIGHTS).write_bytes(body)
        card = {"fit": self.fit, "epochs": [asdict(epoch) for epoch in epochs]}
        self._write(card | {"sha256": hashlib.sha256(body).hexdigest()})
        for folder in self.folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
            shutil.rmtree(folder)

    def _weights(self, digest: object) -> bytes | None:
        """What was kept; None if it is not that any more, so that the fit begins anew."""
        try:
            body = (self.folder / _WEIGHTS).read_bytes()
        except FileNotFoundError:
            return None
        return body if hashlib.sha256(body).hexdigest() == digest else None

    def _card(self) -> dict[str, Any]:
        try:
            card = json.loads((self.folder / _CARD).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return card if isinstance(card, dict) else {}

    def _write(self, card: dict[str, Any]) -> None:
        """Whole or not at all: whoever reads it trusts it."""
        draft = self.folder / f"{_CARD}.part"
        draft.write_text(json.dumps(card))
        draft.replace(self.folder / _CARD)


def _whole(checkpoint: Path) -> bool:
    """Its state is what the Trainer writes last."""
    try:
        json.loads((checkpoint / _STATE).read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


def _epoch(told: dict[str, Any]) -> Epoch:
    scores = told.pop("scores")
    return Epoch(**told, scores=tuple(
        TargetScore(score["macro_f1"], tuple(score["class_f1"])) for score in scores
    ))  # fmt: skip
