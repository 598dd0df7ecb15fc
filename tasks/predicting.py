"""A kept model at work outside of nights: a file of rows answered, or its own files handed out.

Every load is verified against the digest that the caller names. A target appears whole or not at
all.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from learning.keeping.models import FittedModel, load
from learning.keeping.serving import answers, decision_columns
from learning.reading.files import SUFFIXES
from learning.reading.tables import read_unlabelled
from learning.rows.exports import harmless
from schemas.answers import ROW_NUMBER
from schemas.dataset import Dataset
from schemas.faults import PlanError
from schemas.label import class_text
from schemas.manifest import KEY


def refuse_places(source: Path, target: Path) -> None:
    """What can be said of both files before a model is looked for."""
    if not target.name.endswith(SUFFIXES):
        raise PlanError(
            f"--output: expected a name that ends in {', '.join(SUFFIXES)}, got {target}"
        )
    if not target.parent.is_dir():
        raise PlanError(f"--output: expected an existing folder, got {target.parent}; create it")
    if not source.is_file():
        told = "is a folder" if source.is_dir() else "no such file"
        raise PlanError(f"--input: expected a file of rows, got {source}: {told}")
    if target.exists() and target.samefile(source):
        raise PlanError(f"--output: expected another file than --input, got {target} for both")


def answer_file(
    folder: Path,  # a model's files
    digest: str,
    dataset: Dataset,
    source: Path,
    target: Path,
) -> int:
    """How many rows were answered: one row of `target` for each of `source`, in order.

    Key or `row`, prediction, probabilities. Columns that the model does not know are let be.
    """
    model = load(folder, digest)
    # The model's columns, not tonight's: the plan may have changed since it was trained.
    known = dataset.model_copy(update={"columns": dict(model.columns)})
    frame = read_unlabelled(source, source.name, known)
    told = _named(answers(model, frame), frame, dataset.key)
    with _appearing(target) as partial:
        if target.name.endswith(".parquet"):
            _one_kind(told, model).to_parquet(partial, index=False)
        elif target.name.endswith((".jsonl", ".jsonl.gz")):
            told.to_json(partial, orient="records", lines=True, force_ascii=False)
        else:
            harmless(_as_text(told, model)).to_csv(partial, index=False, lineterminator="\n")
    return len(frame)


def hand_out(folder: Path, digest: str, target: Path) -> None:
    """Copies a model's files, once they are verified, into a new folder."""
    if target.exists():
        raise PlanError(f"--output: expected a folder that does not exist yet, got {target}")
    load(folder, digest)
    with _appearing(target) as partial:
        shutil.copytree(folder, partial)


def _named(told: pd.DataFrame, frame: pd.DataFrame, key: str | None) -> pd.DataFrame:
    """The answers with what a person finds the row by in front."""
    if key is not None and KEY in frame:
        return pd.concat([frame[KEY].rename(key), told], axis=1)
    return pd.concat(
        [pd.Series(range(1, len(told) + 1), name=ROW_NUMBER, index=told.index), told], axis=1
    )


def _one_kind(told: pd.DataFrame, model: FittedModel) -> pd.DataFrame:
    """Parquet keeps the classes as the data writes them, where they are of one kind."""
    mixed = [
        name
        for name, target in decision_columns(model).items()
        if len({type(value) for value in target.class_values}) > 1
    ]
    return told.assign(**{name: told[name].map(class_text) for name in mixed})


def _as_text(told: pd.DataFrame, model: FittedModel) -> pd.DataFrame:
    return told.assign(**{name: told[name].map(class_text) for name in decision_columns(model)})


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Where to write what then takes the place of `target` in one step."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".nightshift-") as folder:
            partial = Path(folder) / target.name
            yield partial
            partial.replace(target)
    except OSError as fault:
        raise PlanError(
            f"--output: expected a place that can be written, got {target}: "
            f"{fault.strerror or fault}. Name another place, or make room there."
        ) from fault
