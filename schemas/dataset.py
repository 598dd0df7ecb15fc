"""Where labelled rows come from and what their columns mean."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from schemas.strict import Strict


class TextColumn(Strict):
    """Free text; private unless the plan says `show_text: true`."""

    role: Literal["text"] = "text"
    max_chars: PositiveInt = 100_000


class NumberColumn(Strict):
    """A number; missing values are allowed unless `required`."""

    role: Literal["number"] = "number"
    low: float | None = None
    high: float | None = None
    required: bool = False


class CategoryColumn(Strict):
    """A level among few; unseen levels are allowed unless `levels` lists all."""

    role: Literal["category"] = "category"
    levels: tuple[str, ...] | None = None


def _role(raw: Any) -> Any:
    return {"role": raw} if isinstance(raw, str) else raw


Column = Annotated[
    Annotated[TextColumn | NumberColumn | CategoryColumn, Field(discriminator="role")],
    BeforeValidator(_role),
]
"""`amount: number` is short for `amount: {role: number}`."""


class Cleaning(Strict):
    """What happens to rows that are valid but of no use; every drop is counted in the report.

    `missing_text`: rows of which every text column is missing or blank are dropped, or the data
    is rejected. `duplicates`: rows equal in every feature and the label keep their first.
    `conflicts`: rows of one group (same normalised text, or same features) with different labels
    keep the majority label, and a tie drops them all; or all are dropped; or all are kept.
    """

    missing_text: Literal["drop", "reject"] = "drop"
    duplicates: Literal["drop", "keep"] = "drop"
    conflicts: Literal["majority", "drop", "keep"] = "majority"


class Floors(Strict):
    """Least data that a night trains on; below it the data is rejected."""

    rows: NonNegativeInt = 20
    rows_per_class: NonNegativeInt = 2


class Dataset(Strict):
    """One folder or `gs://` prefix of CSV (also .gz) and Parquet objects with the same columns.

    `key` names the column that says which rows are the same case: they share a side of every
    split. Without it the normalised text decides, or all feature cells where there is no text.
    """

    source: str
    pattern: str = "*"
    columns: dict[str, Column] = Field(min_length=1)
    ignore: dict[str, str] = {}
    key: str | None = None
    time: str | None = None
    cleaning: Cleaning = Cleaning()
    floors: Floors = Floors()
