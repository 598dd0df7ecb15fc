"""All that a night has to say about its data, as the owner of the data reads it."""

from schemas.findings import Finding
from schemas.strict import Strict


class Validation(Strict):
    """The findings of one night over `objects` objects; `rows` of them are valid.

    `rejected` is why nothing was trained; empty where the night went on without the rows that
    were set aside. Both counts are 0 where the data was refused before all of it was read.
    """

    plan: str
    run_id: str
    rejected: str = ""
    objects: int = 0
    rows: int = 0
    findings: tuple[Finding, ...] = ()
