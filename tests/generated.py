"""Rows in the shape of each shipped plan and of other label kinds, made from a seed.

All can be learned, not quite cleanly, and have a rare class with at least `RARE_ROWS` rows.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator
from numpy.typing import NDArray

RARE_ROWS = 12
INTENTS = ("request_information", "share_document", "delete_data", "report_incident")
STANCES = ("against", "neither", "favor")
FEELINGS = ("negative", "neutral", "positive")
LABELS = ("physical", "social", "spiritual")
STATES = (
    "neutral", "stress", "unsafe_environment", "emotional_distress", "self_harm_low",
    "self_harm_high",
)  # fmt: skip

_MOODS = (
    ("bad awful poor hate worst broken", -1),
    ("plain usual same table number monday", 0),
    ("good great fine love best thanks", 1),
)
_FILLING = "the a of and this that was is it really just there some people time day way thing"


def comments(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """As the plan `comments`: a text and -1, 0 or 1, the first of them rare."""
    random = np.random.default_rng(seed)
    labels = _classes(random, rows, (0.1, 0.35, 0.55))
    said = [_text(random, _MOODS[label][0].split()) for label in labels]
    return pd.DataFrame({"clean_comment": said, "category": labels - 1})


def fire(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """As the plan `fire`: hot spots, of which one in twenty (`type` 2) is no vegetation fire.

    Those glow by night too, more steadily, and at few places.
    """
    random = np.random.default_rng(seed)
    other = _classes(random, rows, (0.95, 0.05)) == 1
    days = np.sort(random.integers(0, 60, rows))
    day = pd.Timestamp("2019-08-01") + pd.to_timedelta(days, unit="D")
    night = random.random(rows) < np.where(other, 0.8, 0.2)
    hour = np.where(night, 13, 1) + random.integers(0, 5, rows)
    heat = np.where(other, random.normal(312, 6, rows), random.normal(329, 18, rows))
    site = random.integers(0, 4, rows)
    return pd.DataFrame(
        {
            "latitude": np.where(other, -20.7 - site, random.uniform(-42, -10, rows)).round(4),
            "longitude": np.where(other, 139.5 - site, random.uniform(114, 153, rows)).round(4),
            "brightness": heat.clip(300).round(1),
            "scan": random.uniform(1, 4.8, rows).round(1),
            "track": random.uniform(1, 2, rows).round(1),
            "acq_date": [f"{each.day}/{each.month}/{each.year}" for each in day],
            "acq_time": hour * 100 + random.integers(0, 60, rows),
            "satellite": random.choice(["Aqua", "Terra"], rows),
            "instrument": "MODIS",
            "confidence": random.integers(0, 101, rows),
            "version": 6.3,
            "bright_t31": random.normal(301, 9, rows).round(1),
            "frp": random.gamma(1.2, np.where(other, 12, 45)).round(1),
            "daynight": np.where(night, "N", "D"),
            "type": np.where(other, 2, 0),
        }
    )


def intent(rows: int = 400, seed: int = 0, dimension: int = 384) -> pd.DataFrame:
    """As the plan `intent`: a message, what is known of it, and its embedding."""
    random = np.random.default_rng(seed)
    labels = _classes(random, rows, (0.5, 0.3, 0.13, 0.07))
    hints = [intent.split("_") for intent in INTENTS]
    said = [_text(random, hints[label]) for label in labels]
    centres = random.normal(size=(len(INTENTS), dimension))
    senses = centres[labels] + random.normal(scale=3, size=(rows, dimension))
    senses /= np.linalg.norm(senses, axis=1, keepdims=True)
    seconds = pd.to_timedelta(random.integers(0, 90 * 86_400, rows), unit="s")
    return pd.DataFrame(
        {
            "text": said,
            "intent": np.array(INTENTS)[labels],
            "confidence": random.uniform(0.5, 1, rows).round(3),
            "timestamp": (pd.Timestamp("2026-01-01") + seconds).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "text_length": [len(text) for text in said],
            "word_count": [len(text.split()) for text in said],
            "has_personal_info": random.random(rows) < np.where(labels == 2, 0.8, 0.2),
            "formality_score": random.beta(2, 2, rows).round(3),
            "urgency_score": np.clip(0.3 * (labels == 3) + random.beta(2, 5, rows), 0, 1).round(3),
            "embeddings": list(senses.astype(np.float32)),
        }
    )


def two_labels(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """A text with a stance and a feeling that hang together a little; neutral feelings are rare."""
    random = np.random.default_rng(seed)
    stances = _classes(random, rows, (0.5, 0.25, 0.25))
    feelings = _classes(random, rows, (0.6, 0.08, 0.32))
    feelings = np.where(random.random(rows) < 0.2, stances, feelings)
    said = [
        f"{_text(random, [STANCES[stance], 'topic'])} {_text(random, _MOODS[feeling][0].split())}"
        for stance, feeling in zip(stances, feelings, strict=True)
    ]
    return pd.DataFrame(
        {
            "text": said,
            "stance": np.array(STANCES)[stances],
            "feeling": np.array(FEELINGS)[feelings],
        }
    )


def many_labels(
    rows: int = 400,
    seed: int = 0,
    labels: Sequence[str] = LABELS,
    shares: Sequence[float] = (0.5, 0.3, 0.08),
) -> pd.DataFrame:
    """A text with any number of labels, 0 or 1 each: some have none, and the last is rare."""
    random = np.random.default_rng(seed)
    given = np.column_stack([_classes(random, rows, (1 - share, share)) for share in shares])
    said = [
        " ".join(
            [_text(random, ["none"])]
            + [_text(random, [name]) for name, has in zip(labels, row, strict=True) if has]
        )
        for row in given
    ]
    return pd.DataFrame({"text": said} | dict(zip(labels, given.T, strict=True)))


def polarization(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """As the plan `polarization`: a text, its sentiment and whether it takes a side."""
    made = two_labels(rows, seed)
    sides = dict(zip(STANCES, ("partisan", "objective", "non_polarized"), strict=True))
    return pd.DataFrame(
        {
            "text": made["text"],
            "sentiment": made["feeling"],
            "polarization": made["stance"].map(sides),
        }
    )


def wellbeing(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """As the plan `wellbeing`: a text with any number of six states."""
    return many_labels(rows, seed, STATES, (0.22, 0.18, 0.15, 0.18, 0.13, 0.14))


PLANS: dict[str, Callable[[int, int], pd.DataFrame]] = {
    "comments": comments,
    "fire": fire,
    "intent": intent,
    "polarization": polarization,
    "wellbeing": wellbeing,
}
"""Rows for each shipped plan that brings no data of its own, by rows and seed."""


def write(frame: pd.DataFrame, path: Path) -> Path:
    """As CSV, JSON lines (both also .gz) or Parquet, by the end of the name.

    Lists are JSON text in CSV; a missing cell is empty, null or left out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        _with_json_lists(frame).to_csv(path, index=False)
    elif name.endswith(".jsonl"):
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    else:
        raise ValueError(f"expected .csv, .jsonl (also .gz) or .parquet, got {path.name!r}")
    return path


def _classes(random: Generator, rows: int, shares: Sequence[float]) -> NDArray[np.int64]:
    """Drawn by their shares; every class has a few rows at least."""
    labels = random.choice(len(shares), rows, p=shares)
    least = min(RARE_ROWS, rows // len(shares))
    places = random.permutation(rows)[: least * len(shares)]
    labels[places] = np.repeat(np.arange(len(shares)), least)
    return labels


def _text(random: Generator, hints: Sequence[str], words: int = 6) -> str:
    """Words that say nothing, and in nine of ten texts one or two that tell the class."""
    said = random.choice(_FILLING.split(), words).tolist()
    if random.random() < 0.9:
        said[: random.integers(1, 3)] = random.choice(hints, 2).tolist()
    return " ".join(random.permutation(said))


def _with_json_lists(frame: pd.DataFrame) -> pd.DataFrame:
    nested = [name for name in frame if isinstance(frame[name].iloc[0], list | np.ndarray)]
    return frame.assign(
        **{
            str(name): [json.dumps([float(x) for x in cell]) for cell in frame[name]]
            for name in nested
        }
    )
