"""The champion outside of a night: answers as a table, and the door that MLflow's pyfunc uses.

`mlflow.pyfunc.load_model("models:/NAME@champion")` imports this module by name and calls
`_load_pyfunc`: every byte is checked against the model's own manifest, then only reviewed types
are built; no pickled code. Which version it is, is MLflow's word: who needs more than that pins
the digest with `learning.models.load`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from learning.models import FittedModel, load
from schemas.label import class_text


def answers(model: FittedModel, frame: pd.DataFrame) -> pd.DataFrame:
    """One row an input row, in order: `prediction`, then `probability_CLASS` for each class."""
    probabilities = model.probabilities(frame)
    decisions = model.decide(probabilities)
    told = pd.DataFrame(
        {f"probability_{text}": probabilities[:, i] for i, text in enumerate(model.class_texts)},
        index=frame.index,
    )
    told.insert(0, "prediction", [model.class_values[decision] for decision in decisions])
    return told


class PyfuncModel:
    """What MLflow calls: `predict` on a frame with the plan's feature columns."""

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predictions and probabilities; `params` is part of MLflow's call and has no meaning.

        Whole numbers, booleans and numbers written as text are taken as the plan's roles ask; what
        is no number where one is expected, and a column that is not there, is a missing cell.
        """
        known = {
            name: _as_role(frame[name], column.role)
            for name, column in self.model.columns.items()
            if name in frame.columns
        }
        return answers(self.model, pd.DataFrame(known, index=frame.index))


def _as_role(cells: pd.Series, role: str) -> pd.Series:
    if role == "number":
        return pd.to_numeric(cells, errors="coerce").astype(np.float64)
    return cells.map(class_text, na_action="ignore").astype(object)


def _load_pyfunc(folder: str) -> PyfuncModel:
    return PyfuncModel(load(Path(folder), digest=None))
