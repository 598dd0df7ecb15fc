"""A fitted forest as plain arrays: all trees end to end, without what only fitting needs.

Not skops: it stores nodes that scikit-learn follows without a check, so that a forged file reads
outside of memory, and thrice the bytes (15 MB against 5 of 200 trees on 20,000 rows). Here every
node is checked before a tree is built.
"""

import io
import zipfile
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree._tree import NODE_DTYPE, Tree
from sklearn.utils.validation import check_array

from learning.arrays import Probabilities
from learning.families.restored import OnlyAnswers
from learning.families.tree_nodes import LEAF, check_nodes

_ARRAYS = {
    "columns": np.int64,  # () of the feature matrix
    "nodes": np.int64,  # (trees,) how many each has
    "left": np.int32,  # (all nodes,) place of the child in its own tree, -1 at a leaf
    "right": np.int32,
    "feature": np.int32,
    "threshold": np.float64,  # a row goes left where its feature is at most this
    "shares": np.float64,  # (leaves, classes) in the order of the leaves
}


def forest_bytes(forest: RandomForestClassifier) -> bytes:
    """Only the answer to rows without missing cells is kept."""
    trees = [tree.tree_ for tree in forest.estimators_]
    left = np.concatenate([tree.children_left for tree in trees])
    leaves = left == LEAF
    arrays = {
        "columns": np.asarray(forest.n_features_in_),
        "nodes": np.array([tree.node_count for tree in trees]),
        "left": left,
        "right": np.concatenate([tree.children_right for tree in trees]),
        "feature": np.where(leaves, 0, np.concatenate([tree.feature for tree in trees])),
        "threshold": np.where(leaves, 0, np.concatenate([tree.threshold for tree in trees])),
        "shares": np.concatenate([tree.value[:, 0, :] for tree in trees])[leaves],
    }
    stream = io.BytesIO()
    plain = {name: array.astype(_ARRAYS[name]) for name, array in arrays.items()}
    np.savez_compressed(stream, allow_pickle=False, **plain)
    return stream.getvalue()


class ForestAnswers(OnlyAnswers):
    """The mean answer of a forest's trees."""

    format: ClassVar[str] = "forest"
    suffix: ClassVar[str] = "npz"

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        super().__init__(body, seen)
        arrays = _read(body)
        _check(arrays, len(seen))
        self.columns = int(arrays["columns"])
        self.trees = _trees(arrays)

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        X = check_array(X, accept_sparse="csr", dtype=np.float32, accept_large_sparse=False)
        if X.shape[1] != self.columns:
            raise ValueError(f"expected {self.columns} feature columns, got {X.shape[1]}")
        total: Probabilities = np.zeros((X.shape[0], len(self.seen)))
        for tree in self.trees:
            total += tree.predict(X).reshape(total.shape)
        return total / len(self.trees)


def _read(body: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as fault:
        raise ValueError("expected the arrays of a forest, got something else") from fault
    found = {name: getattr(array, "dtype", None) for name, array in arrays.items()}
    if found != _ARRAYS or arrays["columns"].shape != ():
        raise ValueError(f"expected a forest's arrays {', '.join(_ARRAYS)}, got others")
    return arrays


def _check(arrays: dict[str, NDArray[Any]], classes: int) -> None:
    left = arrays["left"]
    columns = int(arrays["columns"])
    check_nodes(arrays["nodes"], left, arrays["right"], arrays["feature"], columns)
    leaves = int((left == LEAF).sum())
    if len(arrays["nodes"]) == 0 or arrays["threshold"].shape != left.shape:
        raise ValueError("expected trees with a threshold a node, got others")
    if arrays["shares"].shape != (leaves, classes):
        raise ValueError(f"expected leaves of {classes} classes, got {arrays['shares'].shape}")


def _trees(arrays: dict[str, NDArray[Any]]) -> list[Tree]:
    classes = arrays["shares"].shape[1]
    every = np.zeros(len(arrays["left"]), dtype=NODE_DTYPE)
    every["left_child"], every["right_child"] = arrays["left"], arrays["right"]
    every["feature"], every["threshold"] = arrays["feature"], arrays["threshold"]
    shares = np.zeros((len(every), 1, classes))
    shares[arrays["left"] == LEAF, 0] = arrays["shares"]
    ends = np.cumsum(arrays["nodes"])
    return [
        _tree(int(arrays["columns"]), every[start:end], shares[start:end])
        for start, end in zip(ends - arrays["nodes"], ends, strict=True)
    ]


def _tree(columns: int, nodes: NDArray[Any], shares: NDArray[np.float64]) -> Tree:
    tree = Tree(columns, np.array([shares.shape[2]], dtype=np.intp), 1)
    tree.__setstate__({"max_depth": 0, "node_count": len(nodes), "nodes": nodes, "values": shares})
    return tree
