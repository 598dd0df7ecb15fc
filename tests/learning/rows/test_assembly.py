"""The two sides of a night, for every kind of label and of validation."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from learning.reading.tables import Read
from learning.rows.assembly import assemble
from learning.rows.shards import write_shard
from learning.rows.sides import read_side
from learning.rows.splits import scored_in
from schemas.faults import DataRejected
from schemas.label import Label, MultiLabel, MultiTaskLabel, SingleLabel
from schemas.manifest import Rows, Shard, label_columns
from schemas.plan import Plan

SINGLE = SingleLabel(column="mood", classes=("bad", "plain", "good"))
TASKS = MultiTaskLabel(columns={"mood": ("bad", "good"), "pace": ("slow", "fast", "wild")})
MANY = MultiLabel(columns=("sad", "calm", "odd"))


def plan(label: Label = SINGLE, **search: Any) -> Plan:
    return Plan.model_validate(
        {
            "name": "sample",
            "dataset": {"source": "drops", "columns": {"amount": "number"}, "weight": "trust"},
            "label": label.model_dump(),
            "search": search,
        }
    )


def shard(folder: Path, labels: np.ndarray, groups: int | None = None) -> Shard:
    """Rows with these labels; several a group where there are fewer groups."""
    rows = len(labels)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"amount": random.normal(size=rows)})
    for name, column in zip(label_columns(labels.shape[1]), labels.T, strict=True):
        frame[name] = column.astype(np.int16)
    keys = random.integers(0, 2**63, groups or rows).astype(np.uint64)
    frame["__key"] = keys[np.arange(rows) % len(keys)]
    frame["__row"] = np.arange(1, rows + 1)
    frame["__weight"] = random.uniform(0.1, 2.0, rows)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{rows}.parquet"
    write_shard([Read(frame, frame[:0])], path)
    return Shard(object_name="day.csv", path=str(path), rows=rows, quarantined=1, faults={"x": 1})


def labels_of(label: Label, rows: int = 600) -> np.ndarray:
    random = np.random.default_rng(1)
    match label:
        case SingleLabel():
            return random.choice(3, (rows, 1), p=[0.1, 0.3, 0.6])
        case MultiTaskLabel():
            paces = random.choice(3, rows, p=[0.5, 0.4, 0.1])
            return np.column_stack([random.choice(2, rows, p=[0.2, 0.8]), paces])
        case _:
            return (random.random((rows, 3)) < [0.4, 0.2, 0.1]).astype(np.int64)


def sides(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All that is known of the rows of either side."""
    names = [*label_columns(len(rows.train_counts)), "amount", "__key", "__row", "__weight"]
    train = read_side(rows.train, [*names, "__fold"]).to_pandas()
    return train, read_side(rows.holdout, names).to_pandas()


@pytest.mark.parametrize("validation", ["k-fold", "shuffle"])
@pytest.mark.parametrize(
    "label", [SINGLE, TASKS, MANY], ids=["single", "multi-task", "multi-label"]
)
def test_every_row_is_on_one_side_with_all_its_labels(
    label: Label, validation: str, tmp_path: Path
) -> None:
    wanted = plan(label, validation=validation)
    labels = labels_of(label)
    rows = assemble([shard(tmp_path, labels)], wanted, tmp_path / "work")
    train, holdout = sides(rows)
    names = list(label_columns(labels.shape[1]))
    assert (len(train), len(holdout)) == (rows.n_train, rows.n_holdout)
    for side, counts in ((train, rows.train_counts), (holdout, rows.holdout_counts)):
        for target, name, of_target in zip(wanted.targets, names, counts, strict=True):
            assert np.bincount(side[name], minlength=target.classes).tolist() == list(of_target)
    joined = pd.concat([train, holdout]).sort_values("__row")
    assert np.array_equal(joined[names], labels)
    assert joined["__weight"].between(0.1, 2.0).all()
    assert train["__fold"].dtype == np.int32
    assert rows.quarantined == {"x": 1}


def test_folds_score_each_row_once_and_shuffles_their_share_each(tmp_path: Path) -> None:
    made = shard(tmp_path, labels_of(TASKS, 3000), groups=1000)
    folded, _ = sides(assemble([made], plan(TASKS, folds=4), tmp_path / "work"))
    drawn_by = {"validation": "shuffle", "folds": 4, "validation_share": 0.3}
    drawn, _ = sides(assemble([made], plan(TASKS, **drawn_by), tmp_path / "work"))
    folds, shuffles = folded["__fold"].to_numpy(), drawn["__fold"].to_numpy()
    assert np.bitwise_or.reduce(folds) == np.bitwise_or.reduce(shuffles) == 0b1111
    assert sum(scored_in(folds, split).mean() for split in range(4)) == pytest.approx(1)
    for split in range(4):
        scored = scored_in(shuffles, split)
        assert scored.mean() == pytest.approx(0.3, abs=0.01)
        assert not set(drawn["__key"][scored]) & set(drawn["__key"][~scored])


@pytest.mark.parametrize("validation", ["k-fold", "shuffle"])
def test_a_rare_class_of_one_task_is_spread_over_the_splits(
    validation: str, tmp_path: Path
) -> None:
    labels = labels_of(TASKS, 900)
    labels[:, 1] = np.where(np.arange(900) % 60 == 0, 2, labels[:, 1] % 2)  # 15 rows, both moods
    wanted = plan(TASKS, validation=validation, folds=3, validation_share=1 / 3)
    train, _ = sides(assemble([shard(tmp_path, labels)], wanted, tmp_path / "work"))
    folds, rare = train["__fold"].to_numpy(), (train["__label1"] == 2).to_numpy()
    scored = [int((scored_in(folds, split) & rare).sum()) for split in range(3)]
    assert max(scored) - min(scored) <= 2
    assert min(scored) >= 2


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"validation": "shuffle"}, False),
        ({"folds": 4}, False),
        ({"validation_share": 0.5}, True),
        ({"method": "random"}, True),
        ({"validation": "shuffle", "validation_share": 0.5}, False),
    ],
    ids=["validation", "folds", "share of folds", "method", "share of shuffles"],
)
def test_only_settings_that_move_rows_change_the_digest(
    changed: dict[str, Any], same: bool, tmp_path: Path
) -> None:
    made = [shard(tmp_path, labels_of(SINGLE))]
    before = assemble(made, plan(), tmp_path / "work").digest
    assert (assemble(made, plan(**changed), tmp_path / "work").digest == before) is same


def test_labels_that_are_really_one_are_noted_and_the_night_goes_on(tmp_path: Path) -> None:
    one_hot = np.eye(3, dtype=np.int64)[np.arange(300) % 3]
    rows = assemble([shard(tmp_path, one_hot)], plan(MANY), tmp_path / "work")
    assert len(rows.notes) == 1
    assert "exactly one of the 3 labels" in rows.notes[0]
    assert assemble([shard(tmp_path, one_hot)], plan(MANY), tmp_path / "work") == rows


def test_a_label_that_no_row_has_is_rejected_by_name(tmp_path: Path) -> None:
    labels = labels_of(MANY)
    labels[:, 1] = 0
    with pytest.raises(DataRejected, match=r"at least two classes of 'calm', got 0"):
        assemble([shard(tmp_path, labels)], plan(MANY), tmp_path / "work")
    assert not list((tmp_path / "work").glob("*"))
