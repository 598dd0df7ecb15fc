import pytest

from learning.reading.wording import amount


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 classes"), (1, "1 class"), (2, "2 classes"), (12_345, "12,345 classes")],
)
def test_one_thing_is_told_as_one(count: int, told: str) -> None:
    assert amount(count, "class", "classes") == told


def test_several_things_end_in_s_where_nothing_else_is_said() -> None:
    assert (amount(1, "more row"), amount(2, "more row")) == ("1 more row", "2 more rows")
