"""Texts become vectors before the folds need them: each once, whichever worker reads it."""

import pandas as pd

from learning.features.matrix import sentence_vectors
from learning.features.vector_cache import text_key
from learning.features.words import as_texts
from learning.rows.sides import read_side
from schemas.trials import EmbedJob


def embed_texts(job: EmbedJob) -> int:
    """Keep the vectors of this part of the texts; how many texts these are.

    Raises
    ------
    ValueError
        The encoder has another width, or knows fewer positions.
    EncoderMissing
        The encoder is not here any more.
    """
    table = read_side(job.rows, job.columns)
    texts = {text for name in job.columns for text in as_texts(table[name].to_pandas())}
    own = sorted(text for text in texts if text_key(text)[0] % job.parts == job.part)
    sentence_vectors(job.embedding, "single", job.vectors).fit_transform(
        pd.DataFrame({"text": pd.Series(own, dtype=object)})
    )
    return len(own)
