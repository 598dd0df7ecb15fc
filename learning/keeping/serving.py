"""The champion outside of a night: answers as a table, and the door that MLflow's pyfunc uses.

`mlflow.pyfunc.load_model("models:/NAME@champion")` imports this module by name and calls
`_load_pyfunc`: every byte is checked against the model's own manifest, then only reviewed types
are built; no pickled code. Which version it is, is MLflow's word: who needs more than that pins
the digest with `learning.keeping.models.load`.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from learning.keeping.models import FittedModel, load
from learning.rows.roles import as_role
from schemas.answers import answer_columns
from schemas.label import Target


def answers(model: FittedModel, frame: pd.DataFrame) -> pd.DataFrame:
    """One row an input row, in order, and the columns of `schemas.answers`."""
    found = model.answers(frame)
    told: dict[str, object] = {}
    for place, (target, columns) in enumerate(
        zip(model.targets, answer_columns(model.targets), strict=True)
    ):
        told[columns.decision] = [target.class_values[c] for c in found.decisions[:, place]]
        told |= {
            name: found.probabilities[place][:, c] for c, name in columns.probabilities.items()
        }
    return pd.DataFrame(told, index=frame.index)


def decision_columns(model: FittedModel) -> dict[str, Target]:
    """Which of the columns of `answers` hold decisions, and on what."""
    columns = answer_columns(model.targets)
    return {each.decision: target for each, target in zip(columns, model.targets, strict=True)}


class PyfuncModel:
    """What MLflow calls: `predict` on a frame with the plan's feature columns."""

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predictions and probabilities; `params` is part of MLflow's call and has no meaning.

        Cells are read as training reads them; what can't be, and a column that is not there, is a
        missing cell. An embedding that does not fit is refused (`DataRejected`).
        """
        known = {
            name: as_role(frame[name], column)
            for name, column in self.model.columns.items()
            if name in frame.columns
        }
        return answers(self.model, pd.DataFrame(known, index=frame.index))


def _load_pyfunc(folder: str) -> PyfuncModel:
    return PyfuncModel(load(Path(folder), digest=None))
