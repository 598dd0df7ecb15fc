"""Whether the nodes of stored trees can be followed: libraries that follow them do not look."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = -1


def check_nodes(
    nodes: NDArray[Any],  # (trees,) how many each has
    left: NDArray[Any],  # (all nodes,) place of the child in its own tree, LEAF at a leaf
    right: NDArray[Any],
    feature: NDArray[Any],  # (all nodes,) of an inner node
    columns: int,  # of the feature matrix
) -> None:
    """ValueError unless children stand behind their parents and features are columns."""
    shapes = {left.shape, right.shape, feature.shape}
    if nodes.ndim != 1 or (nodes < 1).any() or shapes != {(int(nodes.sum()),)}:
        raise ValueError("expected as many nodes as the trees have, got others")
    size = np.repeat(nodes, nodes)
    place = np.arange(len(left)) - np.repeat(np.cumsum(nodes) - nodes, nodes)
    inner = left != LEAF
    if (right[~inner] != LEAF).any():
        raise ValueError("expected nodes of two children or none, got one child")
    for child in (left, right):
        if ((child <= place) | (child >= size))[inner].any():
            raise ValueError("expected children behind their parents, got a forged tree")
    if ((feature < 0) | (feature >= columns))[inner].any():
        raise ValueError("expected features within the matrix, got a forged tree")
