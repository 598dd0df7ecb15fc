"""The champion outside of a night: answers as a table, and the door that MLflow's pyfunc uses.

`mlflow.pyfunc.load_model("models:/NAME@champion")` imports this module by name and calls
`_load_pyfunc`: the same hash-checked, allow-listed load as everywhere else, no pickled code.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from learning.models import FittedModel, load


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
        """Predictions and probabilities; `params` is part of MLflow's call and has no meaning."""
        return answers(self.model, frame)


def _load_pyfunc(folder: str) -> PyfuncModel:
    return PyfuncModel(load(Path(folder), digest=None))
