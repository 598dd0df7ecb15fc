"""Vectors of texts are kept whole, found again by any worker, and bounded in size."""

import os
from pathlib import Path

import numpy as np
import pytest

from learning.features.vector_cache import VectorCache, text_key

WORDS = ("one", "two", "three", "\ud800", "")
KEYS = [text_key(word) for word in WORDS]
VECTORS = np.arange(len(WORDS) * 3, dtype=np.float32).reshape(-1, 3)


def found(cache: VectorCache, keys: list[bytes], width: int = 3) -> dict[bytes, list[float]]:
    into = np.full((len(keys), width), -1, dtype=np.float32)
    seen = cache.found({key: row for row, key in enumerate(keys)}, into)
    assert all((into[row] == -1).all() for row, key in enumerate(keys) if key not in seen)
    return {key: into[row].tolist() for row, key in enumerate(keys) if key in seen}


def test_what_is_kept_is_found_in_any_order(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "new", 3)
    assert found(cache, KEYS) == {}
    cache.keep(KEYS[:2], VECTORS[:2])
    cache.keep(KEYS[2:], VECTORS[2:])
    again = VectorCache(tmp_path / "new", 3)
    assert found(again, KEYS[::-1]) == dict(zip(KEYS, VECTORS.tolist(), strict=True))
    assert found(again, [text_key("four"), KEYS[1]]) == {KEYS[1]: VECTORS[1].tolist()}


def test_the_same_vectors_are_one_file_and_no_part_of_one_stays(tmp_path: Path) -> None:
    for _ in range(2):
        VectorCache(tmp_path, 3).keep(KEYS, VECTORS)
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".npy"


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_file_is_removed_and_its_texts_are_not_there(tmp_path: Path, damage: str) -> None:
    VectorCache(tmp_path, 3).keep(KEYS, VECTORS)
    (path,) = tmp_path.iterdir()
    body = path.read_bytes()
    path.write_bytes(body[:-7] if damage == "cut" else body[:-1] + b"\x00")
    assert found(VectorCache(tmp_path, 3), KEYS) == {}
    assert list(tmp_path.iterdir()) == []


def test_vectors_of_another_width_are_not_taken(tmp_path: Path) -> None:
    VectorCache(tmp_path, 3).keep(KEYS, VECTORS)
    assert found(VectorCache(tmp_path, 4), KEYS, 4) == {}


def test_the_longest_unused_make_room(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, 3)
    cache.keep(KEYS[:2], VECTORS[:2])
    (first,) = tmp_path.iterdir()
    cache.keep(KEYS[2:4], VECTORS[2:4])
    for path in tmp_path.iterdir():
        os.utime(path, (1_000, 1_000 if path == first else 2_000))
    assert found(cache, KEYS[:1])  # used after the second was written
    small = VectorCache(tmp_path, 3, most_bytes=2 * first.stat().st_size)
    small.keep(KEYS[4:], VECTORS[4:])
    assert set(found(cache, KEYS)) == {*KEYS[:2], KEYS[4]}
