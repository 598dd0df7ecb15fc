"""What a plan may do about rare classes: one model a method, told apart by `kind`.

Class weights stand beside the samplers because they answer the same question, and the screening
compares all of them on equal folds. `learning/samplers.py` builds what is described here.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.knobs import Knob
from schemas.strict import Strict

Share = Annotated[float, Field(gt=0, le=1)]
Exponent = Annotated[float, Field(ge=0, le=1)]
Neighbours = Annotated[int, Field(ge=1)]


class NoResampling(Strict):
    """Train on the rows as they are; the decision offsets alone answer the imbalance."""

    kind: Literal["none"] = "none"


class ClassWeights(Strict):
    """Weigh each row by `n_class ** -exponent`: 0 changes nothing, 1 balances the classes."""

    kind: Literal["class-weights"] = "class-weights"
    exponent: Knob[Exponent] = 1.0


class RandomUndersampling(Strict):
    """Drop rows of larger classes until the smallest is at least `ratio` of each."""

    kind: Literal["random-undersampling"] = "random-undersampling"
    ratio: Knob[Share] = 1.0


class Smote(Strict):
    """Synthesise rows of smaller classes up to `ratio` of the largest (Chawla et al. 2002)."""

    kind: Literal["smote"] = "smote"
    k_neighbors: Knob[Neighbours] = 5
    ratio: Knob[Share] = 1.0


Imbalance = Annotated[
    NoResampling | ClassWeights | RandomUndersampling | Smote, Field(discriminator="kind")
]
