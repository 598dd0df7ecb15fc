"""New rows answered by a plan's champion, and its files handed out; each load is verified."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from learning.files import SUFFIXES
from learning.models import FittedModel, load
from learning.serving import answers
from learning.tables import read_unlabelled
from schemas.faults import DataRejected, ModelRefused, PlanError
from schemas.frames import KEY
from schemas.label import class_text
from schemas.ledger import Version
from schemas.plan import Plan
from schemas.store import Store
from tasks.home import Home
from tasks.ledger import champion
from tasks.registry import fetch_model, version_of
from tasks.storage import open_store


@dataclass(frozen=True)
class Predicted:
    """How many rows were answered, and by whom."""

    rows: int
    plan: str
    version: int


def predict_file(plan: Plan, home: Home, source: Path, target: Path) -> Predicted:
    """Writes one row for each row of `source`, in order: key or `row`, prediction, probabilities.

    Columns that the champion does not know are let be. The file appears whole or not at all.
    """
    _refuse_places(source, target)
    store = open_store(home.state)
    version = chosen_version(store, plan.name, None)
    model = load(fetch_model(store, version, home.cache), version.digest)
    # The champion's columns, not tonight's: the plan may have changed since it was trained.
    dataset = plan.dataset.model_copy(update={"columns": dict(model.columns)})
    frame = read_unlabelled(source, source.name, dataset)
    _write(_named(answers(model, frame), frame, plan.dataset.key), model, target)
    return Predicted(len(frame), plan.name, version.number)


def export_version(
    store: Store, cache: Path, plan: str, number: int | None, target: Path
) -> Version:
    """Copies a verified version, the champion by default, into a new folder."""
    if target.exists():
        raise PlanError(f"--output: expected a folder that does not exist yet, got {target}")
    version = chosen_version(store, plan, number)
    folder = fetch_model(store, version, cache)
    load(folder, version.digest)
    shutil.copytree(folder, target)
    return version


def chosen_version(store: Store, plan: str, number: int | None) -> Version:
    """The version of that number, or the champion's."""
    if number is not None:
        return version_of(store, plan, number)
    answering, _ = champion(store, plan)
    if answering is None:
        raise ModelRefused(
            f"Expected a champion of {plan} in {store.uri}, got none. `nightshift train {plan}` "
            f"trains one; `nightshift nights {plan}` tells why none was promoted."
        )
    # The champion's own digest: a version's record that was changed since would be noticed.
    found = version_of(store, plan, answering.version)
    return found.model_copy(update={"digest": answering.digest})


def _refuse_places(source: Path, target: Path) -> None:
    if not target.name.endswith(SUFFIXES):
        raise PlanError(
            f"--output: expected a name that ends in {', '.join(SUFFIXES)}, got {target}"
        )
    if not target.parent.is_dir():
        raise PlanError(f"--output: expected an existing folder, got {target.parent}; create it")
    if not source.is_file():
        raise DataRejected(f"--input: expected a file, got {source}, which is none")
    if target.exists() and target.samefile(source):
        raise PlanError(f"--output: expected another file than --input, got {target} for both")


def _named(told: pd.DataFrame, frame: pd.DataFrame, key: str | None) -> pd.DataFrame:
    """The answers with what a person finds the row by in front."""
    if key is not None and KEY in frame:
        return pd.concat([frame[KEY].rename(key), told], axis=1)
    return pd.concat(
        [pd.Series(range(1, len(told) + 1), name="row", index=told.index), told], axis=1
    )


def _write(told: pd.DataFrame, model: FittedModel, target: Path) -> None:
    if len({type(value) for value in model.class_values}) > 1 or "parquet" not in target.name:
        told = told.assign(prediction=[class_text(value) for value in told["prediction"]])
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".nightshift-") as folder:
        partial = Path(folder) / target.name
        if target.name.endswith(".parquet"):
            told.to_parquet(partial, index=False)
        else:
            told.to_csv(partial, index=False, lineterminator="\n")
        partial.replace(target)
