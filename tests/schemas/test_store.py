import unicodedata

import pytest

from schemas.store import _UNSEEN, name_fault, shown_name


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("2026/11/day one é 日.csv", ""),
        ("", "nothing between"),
        ("/a.csv", "nothing between"),
        ("a//b.csv", "nothing between"),
        ("a/", "nothing between"),
        ("../a.csv", "starts with '.'"),
        ("a/.b", "starts with '.'"),
        ("a\\b.csv", "a backslash"),
        ("a\nb.csv", "a control or direction"),
        ("a\u202eb.csv", "a control or direction"),
        ("a\u200bb.csv", "a control or direction"),
        ("é" * 513, "more than 1024 bytes"),
    ],
)
def test_names_that_no_honest_producer_gives_are_told(name, fault):
    told = name_fault(name)
    assert fault in told
    assert bool(fault) == bool(told)


def test_no_character_that_hides_or_reorders_text_is_printable():
    characters = map(chr, range(0x110000))
    assert not [c for c in characters if c.isprintable() and unicodedata.category(c) in _UNSEEN]


def test_a_hidden_character_is_shown():
    assert shown_name("a\u202eb") == "a\\u202eb"
    assert shown_name("a\xa0b é") == "a\xa0b é"
