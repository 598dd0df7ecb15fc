"""What a file is that is none of ours, told by its first bytes; nothing of it is ever run."""

import pickletools
import re
import warnings
import zlib

LOOKED_AT = 2**20
"""Bytes that are looked at. A pickle of the two oldest protocols shows itself far earlier, but for
the length of its first texts."""

PICKLE = "a pickle"

_STARTS = (
    *((bytes([0x80, protocol]), PICKLE) for protocol in range(2, 6)),
    (b"\x93NUMPY", "a NumPy file, which may hold pickles"),
    (b"PK\x03\x04", "a ZIP archive (as .npz, .xlsx and .zip files are)"),
    (b"BZh", "bzip2 data, as a compressed pickle may be"),
    (b"\xfd7zXZ\x00", "xz data, as a compressed pickle may be"),
    (b"\x5d\x00\x00\x80\x00", "LZMA data, as a compressed pickle may be"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"\x1f\x8b", "gzip data, though the name does not end in .gz"),
    (b"\x89HDF", "an HDF5 file"),
)

_BUILDING = frozenset(
    {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "DICT", "LIST", "TUPLE", "REDUCE", "BUILD", "OBJ"}
)

_BEGUN = ({"GLOBAL", "MARK"}, {"EMPTY_LIST", "BINPUT"}, {"EMPTY_DICT", "BINPUT"})
"""What comes before the first text, of which nothing else may be seen where it is long."""


def strange(start: bytes) -> str:
    r"""What a file with these first bytes is, of all that is refused; nothing where it may be text.

    >>> strange(b"(lp0\nVso\np1\na."), strange(b"size,label\n1,0\n")
    ('a pickle', '')
    """
    start = start[:LOOKED_AT]
    for magic, kind in _STARTS:
        if start.startswith(magic):
            return kind
    if _is_zlib(start):
        return "zlib data, as a compressed pickle may be"
    with warnings.catch_warnings(action="ignore"):  # of backslashes in what is text after all
        return PICKLE if _is_old_pickle(start) else ""


def _is_zlib(start: bytes) -> bool:
    if start[:2] not in (b"x\x01", b"x^", b"x\x9c", b"x\xda"):
        return False
    try:
        zlib.decompressobj().decompress(start, 64)
    except zlib.error:  # "x^2" is a fine name of a column
        return False
    return True


def _is_old_pickle(start: bytes) -> bool:
    """Protocols 0 and 1 have no magic: their operations are followed, on lengths of stacks only."""
    names, depth, marks = set[str](), 0, list[int]()
    try:
        for operation, argument, place in pickletools.genops(start):
            if operation.name == "STOP":
                return depth == 1 and not start[(place or 0) + 1 :].strip()
            if operation.name in ("GLOBAL", "INST") and not re.fullmatch(
                r"[\w.]+ [\w.]+", str(argument)
            ):
                return False
            depth = _depth(operation, depth, marks)
            names.add(operation.name)
    except IndexError:
        return False
    except ValueError as fault:
        cut = len(start) == LOOKED_AT and "unknown" not in str(fault)
        return cut and (not names.isdisjoint(_BUILDING) or any(map(names.issuperset, _BEGUN)))
    return False


def _depth(operation: pickletools.OpcodeInfo, depth: int, marks: list[int]) -> int:
    """Of the stack after the operation; IndexError where it takes what is not there."""
    taken = operation.stack_before
    if pickletools.markobject in taken:
        depth = marks.pop() - (taken.index(pickletools.markobject))
    else:
        depth -= len(taken)
    if depth < 0:
        raise IndexError("nothing on the stack")
    if operation.name == "MARK":
        marks.append(depth)
        return depth
    return depth + len(operation.stack_after)
