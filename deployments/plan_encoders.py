"""Whether what a plan's transformers start from can be had, before any night asks for it."""

from learning.extras import HOW_TO, lacking
from learning.neural.folders import located
from schemas.faults import EncoderMissing, PlanError
from schemas.plan import Plan
from schemas.transformers import Transformer


def encoder_notes(plan: Plan) -> tuple[str, ...]:
    """What the first night has to do or is going to lack; nothing of plans without transformers.

    Raises
    ------
    PlanError
        The folder of an encoder is not one.
    """
    notes = []
    for place, family in enumerate(plan.families):
        if not isinstance(family.classifier, Transformer):
            continue
        if missing := lacking():
            return (f"a night needs {', '.join(missing)}, which are not installed; {HOW_TO}",)
        encoder = family.classifier.encoder
        try:
            located(encoder)
        except EncoderMissing as fault:
            if encoder.is_folder:
                raise PlanError(f"families.{place}.classifier.encoder: {fault}") from None
            notes.append(f"{encoder.model} is not on this machine: the first night downloads it")
    return tuple(notes)
