"""What is served is read as what was trained on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learning.deciding.calibration import identity
from learning.features.matrix import layout, transformer
from learning.keeping.bodies import on_features
from learning.keeping.models import FittedModel, Head
from learning.keeping.serving import PyfuncModel, answers
from learning.reading.tables import read_unlabelled
from learning.searching.fitting import fit_targets
from schemas.classifiers import LogisticRegression
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    Dataset,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.faults import DataRejected
from schemas.features import Features, TextFeatures
from schemas.label import SingleLabel, targets
from schemas.samplers import NoResampling
from schemas.trials import Candidate

COLUMNS: dict[str, Column] = {
    "member": BooleanColumn(),
    "bought": TimeColumn(zone="Europe/Berlin"),
    "born": TimeColumn(format="%d.%m.%Y", zone="Europe/Berlin"),
    "place": EmbeddingColumn(dimension=2),
    "amount": NumberColumn(),
    "shop": CategoryColumn(),
    "said": TextColumn(),
}
WRITTEN = pd.DataFrame(
    {
        "member": ["true", "no", "YES", "0", "", "false"] * 5,
        "bought": [f"2026-01-31T{hour:02}:30:00" for hour in range(0, 24, 4)] * 5,
        "born": [f"0{day}.0{1 + day // 2}.1990" for day in range(1, 7)] * 5,
        "place": [f"[{n}.5, -{n}e-1]" for n in range(6)] * 5,
        "amount": [" 1.5", "+2", "n/a", "4", "", "1e2"] * 5,
        "shop": ["a", "1", "b", "a", "", "a"] * 5,
        "said": ["good", "bad", "", "fine", "so so", "7"] * 5,
    }
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    WRITTEN.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(file: Path) -> pd.DataFrame:
    return read_unlabelled(file, file.name, Dataset(source="rows", columns=COLUMNS))


@pytest.fixture(scope="module")
def model(trained: pd.DataFrame) -> FittedModel:
    asked = targets(SingleLabel(column="label", classes=("no", "yes")))
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=2)),
        imbalance=NoResampling(),
        classifier=LogisticRegression(C=10.0),
    )
    features = transformer(candidate.features, COLUMNS)
    matrix = features.fit_transform(trained)
    labels = (np.arange(len(trained)) % 6 < 3).astype(int)[:, None]
    (found,) = fit_targets(candidate, asked, matrix, layout(features), labels, None, 1, 1)
    head = Head(
        target=asked[0],
        shift=(0.0, 0.0),
        calibration=identity(2),
        offsets=np.zeros(2),
    )
    body = on_features(features, [found], asked)
    return FittedModel(body=body, heads=(head,), columns=COLUMNS)


def test_cells_as_a_file_writes_them_are_answered_as_if_from_the_file(
    model: FittedModel, trained: pd.DataFrame
) -> None:
    expected = answers(model, trained)
    pd.testing.assert_frame_equal(PyfuncModel(model).predict(WRITTEN), expected)
    assert expected["probability_yes"].nunique() == 6


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_counts_in_what_is_served(model: FittedModel, name: str) -> None:
    served = PyfuncModel(model).predict(WRITTEN)
    blind = PyfuncModel(model).predict(WRITTEN.drop(columns=name))
    assert not np.allclose(served["probability_yes"], blind["probability_yes"], atol=1e-6)


def test_values_are_answered_as_their_text(model: FittedModel, trained: pd.DataFrame) -> None:
    values = pd.DataFrame(
        {
            "member": [True, False],
            "bought": pd.to_datetime(["2026-01-30T23:30Z", "2026-01-31T03:30Z"]),
            "born": pd.to_datetime(["1990-01-01", "1990-02-02"]),
            "place": [[0.5, 0.0], np.array([1.5, -0.1])],
            "amount": [1.5, 2],
            "shop": ["a", 1],
            "said": ["good", "bad"],
        }
    )
    pd.testing.assert_frame_equal(
        PyfuncModel(model).predict(values), answers(model, trained.head(2))
    )


def test_a_row_is_answered_alike_alone_and_beside_others(model: FittedModel) -> None:
    mixed = WRITTEN.head(4).astype(object)
    mixed["member"] = [True, "no", 1.0, {"a": 1}]
    mixed["amount"] = [True, "2", 3, [4]]
    mixed["place"] = [[1, 2], "[1, 2]", (1.0, 2.0), None]
    served = PyfuncModel(model)
    alone = pd.concat([served.predict(mixed.iloc[[row]]) for row in range(4)])
    pd.testing.assert_frame_equal(served.predict(mixed), alone)


@pytest.mark.parametrize(
    "cell",
    [[1.0], [1.0, "secret"], "[1, 2, 3]", "secret", [1.0, None], [[1.0], [2.0, 3.0]], 5, [1, 1e99]],
    ids=str,
)
def test_an_embedding_that_does_not_fit_is_refused_by_its_row_and_not_quoted(
    model: FittedModel, cell: object
) -> None:
    rows = pd.DataFrame({"place": [[1.0, 2.0], cell, [3.0, 4.0]]})
    told = (
        r"^Column 'place': expected a list of 2 finite numbers, got other cells in row 2\. "
        "Correct them, or leave them empty"
    )
    with pytest.raises(DataRejected, match=told) as refused:
        PyfuncModel(model).predict(rows)
    assert "secret" not in str(refused.value)


def test_what_cannot_be_read_is_a_missing_cell(model: FittedModel) -> None:
    odd = pd.DataFrame(
        {
            "member": ["perhaps"],
            "bought": ["yesterday"],
            "born": ["1990-01-01"],
            "amount": [float("inf")],
            "shop": [b"a"],
            "said": [{"a": 1}],
        }
    )
    pd.testing.assert_frame_equal(
        PyfuncModel(model).predict(odd), PyfuncModel(model).predict(pd.DataFrame(index=[0]))
    )


def test_serving_needs_nothing_that_only_searches() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, learning.keeping.serving\n"
            "print(*{name.split('.')[0] for name in sys.modules})",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    needless = {"imblearn", "optuna", "pebble", "pandera", "matplotlib", "xgboost"}
    assert not needless & set(told.stdout.split())
