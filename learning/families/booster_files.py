"""Boosters' own model files, looked through before their library reads them.

LightGBM and XGBoost end the whole process over a text cut short or bytes that are none, and follow
forged nodes out of memory.
"""

import gzip
import json
import zlib

import numpy as np
from numpy.typing import NDArray

from learning.families.tree_nodes import LEAF, check_nodes


def lightgbm_text(body: bytes, classes: int) -> str:
    """ValueError unless it is a whole model of so many classes whose trees can be followed."""
    text = body.decode("ascii", errors="replace")  # what is replaced is no number
    head, _, rest = text.partition("\n\nTree=0\n")
    grown, ended, _ = f"Tree=0\n{rest}".partition("end of trees")
    try:
        fields = _fields(head)
        sizes = [int(size) for size in fields["tree_sizes"].split()]
        columns, groups = int(fields["max_feature_idx"]) + 1, int(fields["num_class"])
        ends = np.cumsum(sizes)
        starts = ends - sizes
        trees = [
            _lightgbm_nodes(_fields(grown[start:end]))
            for start, end in zip(starts, ends, strict=True)
        ]
    except (KeyError, ValueError) as fault:
        raise ValueError("expected a model text of LightGBM, got something else") from fault
    if not ended or not trees or ends[-1] != len(grown) or min(sizes) < 1:
        raise ValueError("expected a whole model text of LightGBM, got something else")
    _refuse_other_classes(max(2, groups), classes)
    if int(fields["num_tree_per_iteration"]) != groups or len(trees) % groups:
        raise ValueError("expected a tree for each class in every round, got a forged model")
    left, right, feature = (np.concatenate(arrays) for arrays in zip(*trees, strict=True))
    nodes = np.array([len(tree[0]) for tree in trees])
    check_nodes(nodes, left, right, feature, columns)
    return text


def packed_xgboost(text: bytes) -> bytes:
    """XGBoost's JSON: its numbers come back to the last bit."""
    return gzip.compress(text, compresslevel=6, mtime=0)


def unpacked_xgboost(body: bytes, classes: int) -> bytes:
    """The JSON; ValueError unless it is a model of so many classes whose trees can be followed."""
    try:
        text = gzip.decompress(body)
        learner = json.loads(text)["learner"]
        shape, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
        groups, columns = int(shape["num_class"]), int(shape["num_feature"])
        trees, of_class = model["trees"], set(model["tree_info"])
        left, right, feature, kinds = (
            np.array([number for tree in trees for number in tree[name]], dtype=np.int64)
            for name in ("left_children", "right_children", "split_indices", "split_type")
        )
        nodes = np.array([int(tree["tree_param"]["num_nodes"]) for tree in trees])
        lengths = {len(tree[name]) for tree in trees for name in _OF_A_NODE} - {*nodes.tolist()}
    except _NO_MODEL as fault:
        raise ValueError("expected a model of XGBoost, got something else") from fault
    _refuse_other_classes(max(2, groups), classes)
    if lengths or kinds.any() or of_class != set(range(groups or 1)):
        raise ValueError("expected trees over numbers, some for each class, got a forged model")
    check_nodes(nodes, left, right, feature, columns)
    return text


_OF_A_NODE = ("left_children", "right_children", "split_indices", "split_conditions",
              "base_weights", "default_left", "parents")  # fmt: skip
_NO_MODEL = (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError, OverflowError)


def _fields(lines: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines.split("\n"))
    return {name: text for name, sign, text in pairs if sign}


def _lightgbm_nodes(tree: dict[str, str]) -> tuple[NDArray[np.int64], ...]:
    """Children and features of a tree; its leaves, which LightGBM counts apart, follow."""
    leaves = int(tree["num_leaves"])
    left, right, feature, threshold, decision = (
        np.array(tree[name].split(), dtype=kind)
        for name, kind in (("left_child", np.int64), ("right_child", np.int64),
                           ("split_feature", np.int64), ("threshold", np.float64),
                           ("decision_type", np.int64))
    )  # fmt: skip
    counts = {len(array) for array in (left, right, feature, threshold, decision)}
    if counts != {leaves - 1} or len(tree["leaf_value"].split()) != leaves:
        raise ValueError("expected a child, feature and threshold a node")
    if (tree["num_cat"], tree["is_linear"]) != ("0", "0"):
        raise ValueError("expected splits over numbers alone")
    after = np.full(leaves, LEAF)
    placed = (np.where(child < 0, leaves - 2 - child, child) for child in (left, right))
    return (*(np.concatenate((child, after)) for child in placed), np.concatenate((feature, after)))


def _refuse_other_classes(classes: int, seen: int) -> None:
    if classes != seen:
        raise ValueError(f"expected a booster of {seen} classes, got one of {classes}")
