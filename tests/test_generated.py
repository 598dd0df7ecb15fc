"""The generated rows are what the tests that train on them take them for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.generated import (
    FEELINGS,
    INTENTS,
    LABELS,
    PLANS,
    RARE_ROWS,
    STATES,
    comments,
    intent,
    many_labels,
    two_labels,
    write,
)

EVERY = {**PLANS, "two-labels": two_labels, "many-labels": many_labels}
CLASS_OF = {
    "comments": ["category"],
    "fire": ["type"],
    "intent": ["intent"],
    "polarization": ["sentiment", "polarization"],
    "wellbeing": list(STATES),
    "two-labels": ["stance", "feeling"],
    "many-labels": list(LABELS),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_seed_gives_the_same_rows_again_and_another_seed_others(name: str) -> None:
    made = EVERY[name]
    pd.testing.assert_frame_equal(made(60, 1), made(60, 1))
    assert not made(60, 1).equals(made(60, 2))


@pytest.mark.parametrize("name", EVERY)
def test_every_class_has_rows_and_one_is_rare(name: str) -> None:
    frame = EVERY[name](400, 0)
    shares = [frame[column].value_counts() for column in CLASS_OF[name]]
    assert len(frame) == 400
    assert all(counts.min() >= RARE_ROWS for counts in shares)
    assert min(counts.min() for counts in shares) < 0.15 * len(frame)


def test_two_labels_and_many_labels_hang_together_but_are_not_the_same() -> None:
    frame = two_labels(400, 0)
    assert set(frame["feeling"]) == set(FEELINGS)
    assert len(frame.groupby(["stance", "feeling"])) == 9
    sums = many_labels(400, 0)[list(LABELS)].sum(axis=1)
    assert set(sums) >= {0, 1, 2}


def test_intents_are_known_and_embeddings_have_unit_length() -> None:
    frame = intent(50, 0)
    assert set(frame["intent"]) <= set(INTENTS)
    lengths = [np.linalg.norm(each) for each in frame["embeddings"]]
    assert lengths == pytest.approx([1] * 50, abs=1e-5)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_what_is_written_can_be_read_by_pandas(tmp_path: Path, name: str) -> None:
    frame = comments(20, 0)
    path = write(frame, tmp_path / "drops" / name)
    if ".csv" in name:
        found = pd.read_csv(path)
    elif ".jsonl" in name:
        found = pd.read_json(path, lines=True)
    else:
        found = pd.read_parquet(path)
    assert found.to_dict() == frame.to_dict()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected \.csv, \.jsonl .* got 'a\.xlsx'"):
        write(comments(5, 0), tmp_path / "a.xlsx")
