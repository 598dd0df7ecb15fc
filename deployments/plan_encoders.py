"""Whether the encoders that a plan names can be had, before any night asks for them."""

from collections.abc import Iterator

from learning.extras import HOW_TO, lacking
from learning.neural.folders import located, width
from schemas.faults import EncoderMissing, PlanError
from schemas.plan import Plan
from schemas.transformers import Encoder, Transformer


def encoder_notes(plan: Plan) -> tuple[str, ...]:
    """What the first night has to do or is going to lack; nothing of plans without encoders.

    Raises
    ------
    PlanError
        The folder of an encoder is not one, or it is of another width than the plan says.
    """
    notes = []
    for path, encoder, dimension in _named(plan):
        if missing := lacking():
            return (f"a night needs {', '.join(missing)}, which are not installed; {HOW_TO}",)
        try:
            found = width(encoder, located(encoder))
        except EncoderMissing as fault:
            if encoder.is_folder:
                raise PlanError(f"{path}.encoder: {fault}") from None
            notes.append(f"{encoder.model} is not on this machine: the first night downloads it")
            continue
        if dimension not in (None, found):
            raise PlanError(
                f"{path}.dimension: expected {found}, as wide as {encoder.model} is, got "
                f"{dimension}; correct it"
            )
    return tuple(dict.fromkeys(notes))


def _named(plan: Plan) -> Iterator[tuple[str, Encoder, int | None]]:
    """Where the plan names each encoder, and how wide it says that it is."""
    for place, family in enumerate(plan.families):
        if isinstance(family.classifier, Transformer):
            yield f"families.{place}.classifier", family.classifier.encoder, None
        elif (told := family.features.text.embedding) in plan.embeddings and told is not None:
            yield f"families.{place}.features.text.embedding", told.encoder, told.dimension
