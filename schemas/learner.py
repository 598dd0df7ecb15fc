"""What every family that a plan may tune says of itself beside its knobs."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.knobs import Setting
from schemas.strict import Strict

UnitShare = Annotated[float, Field(gt=0, le=1)]
Points = tuple[dict[str, Setting], ...]


class Learner(Strict):
    """What a family says of itself beside its knobs.

    `title` is how MLflow calls it. `balances`: it sees as many rows of every class, whatever it
    is given, so its probabilities are those of classes of one size. `reads_text`: one model reads
    the text columns itself and answers all targets, so that neither the plan's features nor its
    methods against imbalance apply to it.
    """

    title: ClassVar[str]
    balances: ClassVar[bool] = False
    reads_text: ClassVar[bool] = False
