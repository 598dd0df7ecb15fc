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
from schemas.label import Target


def answers(model: FittedModel, frame: pd.DataFrame) -> pd.DataFrame:
    """One row an input row, in order: `prediction`, then `probability_CLASS` for each class; both
    with `LABEL_` in front where a row has several labels; of many labels `LABEL` (0 or 1) and
    `LABEL_probability`.
    """
    found = model.answers(frame)
    told: dict[str, object] = {}
    for place, target in enumerate(model.targets):
        decided = [target.class_values[c] for c in found.decisions[:, place]]
        probabilities = found.probabilities[place]
        if target.is_flag:
            told |= {target.name: decided, f"{target.name}_probability": probabilities[:, 1]}
            continue
        prefix = f"{target.name}_" if len(model.targets) > 1 else ""
        told[f"{prefix}prediction"] = decided
        for c, text in enumerate(target.class_texts):
            told[f"{prefix}probability_{text}"] = probabilities[:, c]
    return pd.DataFrame(told, index=frame.index)


def decision_columns(model: FittedModel) -> dict[str, Target]:
    """Which of the columns of `answers` hold decisions, and on what."""
    if len(model.targets) == 1:
        return {"prediction": model.targets[0]}
    return {
        target.name if target.is_flag else f"{target.name}_prediction": target
        for target in model.targets
    }


class PyfuncModel:
    """What MLflow calls: `predict` on a frame with the plan's feature columns."""

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predictions and probabilities; `params` is part of MLflow's call and has no meaning.

        Cells are taken as the plan's roles ask; what can't be, and a column that is not there, is
        a missing cell.
        """
        known = {
            name: as_role(frame[name], column)
            for name, column in self.model.columns.items()
            if name in frame.columns
        }
        return answers(self.model, pd.DataFrame(known, index=frame.index))


def _load_pyfunc(folder: str) -> PyfuncModel:
    return PyfuncModel(load(Path(folder), digest=None))
