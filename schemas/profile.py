"""What the rows of a night look like in a few numbers, and which of these moved."""

from pydantic import NonNegativeInt

from schemas.strict import Strict


class Profile(Strict):
    """The valid rows of a night's objects before cleaning; small enough for its record.

    `class_counts` counts rows by target and class, `missing` the missing cells of each feature.
    `kinds` are those in which each column is stored (`number`, `text`, ...); a CSV file has none.
    """

    rows: NonNegativeInt
    class_counts: dict[str, dict[str, NonNegativeInt]] = {}
    missing: dict[str, NonNegativeInt] = {}
    kinds: dict[str, tuple[str, ...]] = {}


class Move(Strict):
    """One figure that is further from the last accepted night than the plan expects.

    All is for people, without a cell: `figure` names it, `accepted` and `arrived` are what it was
    and what it is, `where` are the objects that brought it, `limit` is the setting that it went
    beyond, if there is one.
    """

    column: str
    figure: str
    accepted: str
    arrived: str
    where: str
    limit: str = ""

    @property
    def note(self) -> str:
        """One line for log and record."""
        return (
            f"drift in {self.where}: {self.figure} is {self.arrived}, was {self.accepted} in the "
            "last accepted night"
        )
