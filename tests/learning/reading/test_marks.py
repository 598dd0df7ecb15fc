"""Hashes of rows: equal for equal cells, other for others, and the same for ever."""

import hashlib
import struct
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.reading.marks import cell_hashes, group_keys, normal_text, row_marks
from learning.reading.mixing import BLOCK, LONG, mixed, text_words
from schemas.dataset import Dataset

BITS = 2**64 - 1
COLUMNS = {
    "size": "number",
    "paid": "boolean",
    "kind": "category",
    "born": "time",
    "face": {"role": "embedding", "dimension": 3},
}


def dataset(**columns: Any) -> Dataset:
    return Dataset.model_validate({"source": "x", "columns": columns})


def frame(rows: int = 2) -> pd.DataFrame:
    """Rows of every role, the second with what may be missing."""
    whole = pd.DataFrame(
        {
            "size": [1.5, np.nan],
            "paid": [0.0, np.nan],
            "kind": pd.Series(["a", None], dtype="str"),
            "born": pd.Series(["2002-02-02T10:00:00+00:00", None], dtype="datetime64[us, UTC]"),
            "face": [np.array([0, 1, 2], np.float32), np.array([-0.0, 1, 3], np.float32)],
        }
    )
    return whole.head(rows)


def mix(state: int) -> int:
    """splitmix64 as its authors wrote it, one number at a time."""
    state = (state + 0x9E3779B97F4A7C15) & BITS
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & BITS
    return state ^ (state >> 31)


def seed(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def text_word(text: str) -> int:
    content = text.encode()
    state = mix(seed("text") ^ len(content))
    if len(content) >= LONG:
        digest = hashlib.blake2b(content, digest_size=8).digest()
        return state ^ int.from_bytes(digest, "little")
    for place in range(0, len(content), 8):
        state = mix(state ^ int.from_bytes(content[place : place + 8], "little"))
    return state


@given(st.lists(st.text(), max_size=30))
def test_texts_hash_as_one_at_a_time(texts: list[str]) -> None:
    assert text_words(pd.Series(texts, dtype="str")).tolist() == [text_word(t) for t in texts]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, LONG - 1, LONG, LONG + 1, 5_000])
def test_texts_of_any_length_hash_as_one_at_a_time(length: int) -> None:
    texts = ["x" * length, "ü" * (length // 2), ""]
    assert text_words(pd.Series(texts, dtype="str")).tolist() == [text_word(t) for t in texts]


@given(st.lists(st.tuples(st.floats(width=64), st.text(max_size=9)), max_size=20))
def test_cells_hash_as_one_row_at_a_time(rows: list[tuple[float, str]]) -> None:
    expected = []
    for number, text in rows:
        figure = float("nan") if number != number else number + 0.0
        state = mix(seed("cells") ^ struct.unpack("<Q", struct.pack("<d", figure))[0])
        expected.append(mix(state ^ text_word(text)))
    found = pd.DataFrame(
        {
            "size": np.array([number for number, _ in rows], dtype=np.float64),
            "kind": pd.Series([text for _, text in rows], dtype="str"),
        }
    )
    assert cell_hashes(found, dataset(size="number", kind="category")).tolist() == expected


def test_cells_of_every_role_hash_as_in_every_earlier_release() -> None:
    asked = dataset(**COLUMNS)
    pinned = [11967283279831077672, 1632161895974791982]
    assert cell_hashes(frame(), asked).tolist() == pinned
    assert group_keys(frame(), asked).tolist() == pinned
    assert len(cell_hashes(frame(0), asked)) == 0


def test_keys_and_texts_hash_as_in_every_earlier_release() -> None:
    texts = pd.DataFrame({"said": pd.Series(["So  GOOD", "Straße", None], dtype="str")})
    assert group_keys(texts, dataset(said="text")).tolist() == [
        15443623310052296182,
        4993603076237201175,
        10704732026174063865,
    ]
    keyed = Dataset.model_validate({"source": "x", "columns": {"said": "text"}, "key": "id"})
    found = group_keys(texts.assign(__key=pd.Series(["7", "007", "x"], dtype="str")), keyed)
    assert found.tolist() == [12477941864916253597, 7070917628003964332, 10910842521434060082]


def test_marks_of_places_are_those_that_kept_models_hold() -> None:
    assert row_marks(["day.csv#1", "tage/äö.csv#20"]).tolist() == [
        9381221038856615617,
        11189145770950240464,
    ]


def test_known_cells_are_not_hashed_again() -> None:
    known = np.array([7, 8], dtype=np.uint64)
    assert group_keys(frame(), dataset(**COLUMNS), known) is known


@given(st.lists(st.text()))
def test_whole_columns_of_texts_are_one_case_where_a_person_says_so(texts: list[str]) -> None:
    asked, said = dataset(said="text"), pd.Series(texts, dtype="str")
    plain = pd.Series([normal_text(text) for text in texts], dtype="str")
    assert (
        group_keys(pd.DataFrame({"said": said}), asked).tolist()
        == group_keys(pd.DataFrame({"said": plain}), asked).tolist()
    )


@given(st.text(alphabet=st.characters(max_codepoint=127)), st.text())
def test_two_texts_are_one_case_just_where_they_are_normally_equal(one: str, other: str) -> None:
    texts = pd.DataFrame({"said": pd.Series([one, other, one.upper(), f" {one}\t"], dtype="str")})
    first, second, loud, apart = group_keys(texts, dataset(said="text"))
    assert (first == second) == (normal_text(one) == normal_text(other))
    assert first == loud == apart


def test_neither_order_nor_batches_change_a_hash() -> None:
    random = np.random.default_rng(0)
    rows = 2 * BLOCK + 17
    whole = pd.DataFrame(
        {
            "size": random.normal(size=rows),
            "kind": pd.Series(random.choice(["a", "", "ä" * 200], rows), dtype="str"),
        }
    )
    asked, order = dataset(size="number", kind="category"), random.permutation(rows)
    hashes = cell_hashes(whole, asked)
    assert (cell_hashes(whole.iloc[order], asked) == hashes[order]).all()
    parts = [cell_hashes(part, asked) for part in (whole[:5], whole[5:BLOCK], whole[BLOCK:])]
    assert (np.concatenate(parts) == hashes).all()


def test_levels_hash_alike_however_they_are_held() -> None:
    texts = pa.array(["a", None, "b", "", "a"])
    expected = [text_word(text) for text in ("a", "", "b", "", "a")]
    held = (texts, texts.dictionary_encode(), pa.chunked_array([texts[:2], texts[2:]]))
    assert [text_words(each).tolist() for each in held] == [expected] * 3
    assert text_words(pd.Series(["a", None], dtype=object)).tolist() == expected[:2]


def test_a_million_close_cells_do_not_collide() -> None:
    size, high = (axis.ravel() for axis in np.meshgrid(np.arange(1000.0), np.arange(1000.0)))
    found = cell_hashes(
        pd.DataFrame({"size": size, "high": high}), dataset(size="number", high="number")
    )
    assert len(np.unique(found)) == len(found)
    texts = pd.Series(np.char.add("id-", np.arange(1_000_000).astype(str)), dtype="str")
    assert len(np.unique(text_words(texts))) == len(texts)


def test_swapped_cells_are_other_cells() -> None:
    two = pd.DataFrame({"size": [1.0, 2.0], "high": [2.0, 1.0]})
    assert len(set(cell_hashes(two, dataset(size="number", high="number")).tolist())) == 2


def test_every_bit_of_a_hash_is_set_for_about_half_of_the_rows() -> None:
    numbers = mixed(np.arange(20_000, dtype=np.uint64), "salt")
    ones = [(numbers >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)]
    assert min(ones) > 0.48
    assert max(ones) < 0.52
