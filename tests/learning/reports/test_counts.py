from learning.reports.counts import ENDS, MOST, class_counts_told, targets_told


def test_few_classes_are_all_told_in_the_order_of_the_plan() -> None:
    counts = {f"c{n}": (n, 1) for n in range(MOST)}
    told = class_counts_told(counts)
    assert told.split(", ") == [f"c{n}: {n} + 1" for n in range(MOST)]


def test_of_many_classes_only_the_largest_and_the_rarest_are_told() -> None:
    counts = {f"intent_{n}": (7 * n % 151, 0) for n in range(151)}  # each size once, mixed
    told = class_counts_told(counts)
    assert told.startswith("151 classes; largest: ")
    assert len(told) < 200
    largest, rarest = told.removeprefix("151 classes; largest: ").split("; rarest: ")
    sizes = [[int(each.split(": ")[1].split()[0]) for each in end.split(", ")]
             for end in (largest, rarest)]  # fmt: skip
    assert sizes == [[150, 149, 148], [0, 1, 2]]


def test_of_many_labels_one_line_tells_the_rarest_classes_of_all() -> None:
    counts = {f"label_{n}": {"0": (500 - n,), "1": (n,)} for n in range(40)}
    [told] = targets_told(counts)
    rarest = ", ".join(f"label_{n} - 1: {n}" for n in range(ENDS))
    assert told == f"40 labels; rarest classes: {rarest}"


def test_a_long_class_is_cut() -> None:
    assert class_counts_told({"x" * 500: (1,)}) == f"{'x' * 37}...: 1"
