"""Training rows that are held back to score the epochs."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from learning.arrays import Keys, LabelTable, Mask
from learning.neural.tokens import Tokens
from learning.rows.splits import assign_shuffles, scored_in, strata
from schemas.label import Target

_LEAST_ROWS = 20


def held_back(
    tokens: Tokens,
    labels: LabelTable,
    targets: Sequence[Target],
    share: float,
    groups: Keys | None,  # without it, rows of equal tokens
    seed: int,
) -> Mask:
    """(rows,) true for about `share` of the groups, whole and of all classes alike."""
    keys = _texts(tokens) if groups is None else groups
    if not share or len(np.unique(keys)) < 2:
        return np.zeros(len(tokens), dtype=bool)
    codes = strata(labels, targets, _LEAST_ROWS)
    return scored_in(assign_shuffles(keys, codes, 1, share, seed), 0)


def _texts(tokens: Tokens) -> Keys:
    """(rows,) a hash of each row's tokens."""
    flat, starts = tokens.ids, tokens.starts.tolist()
    digests = b"".join(
        blake2b(flat[start:end].tobytes(), digest_size=8).digest()
        for start, end in pairwise(starts)
    )
    return np.frombuffer(digests, dtype=np.uint64)
