"""Numbers as people write them, where training reads only those with a decimal point."""

import re
from collections.abc import Iterable

_ODD = {
    "a decimal comma": r"[-+]?\d+,\d+|[-+]?\d{1,3}(\.\d{3})+,\d+",
    "separators between thousands": r"[-+]?\d{1,3}([,' ]\d{3})+(\.\d+)?|[-+]?\d{1,3}(\.\d{3}){2,}",
    "percent signs": r"[-+]?\d+([.,]\d+)? ?%",
    "a currency": r"[-+]?[$€£¥] ?[-+]?\d[\d.,' ]*|[-+]?\d[\d.,' ]* ?[$€£¥]",
}
_PLAIN = r"[-+]?\d+(\.\d+)?"

MOST_LOOKED_AT = 1_000
LEAST_SHARE = 0.98


def odd_form(texts: Iterable[str]) -> str:
    """How numbers are written that can't be read as such; nothing where they are no numbers.

    >>> odd_form(["1,5", "2"]), odd_form(["12 %"]), odd_form(["1.5", "2"]), odd_form(["a", "b"])
    ('a decimal comma', 'percent signs', '', '')
    """
    looked = [text for text, _ in zip(texts, range(MOST_LOOKED_AT), strict=False)]
    for form, pattern in _ODD.items():
        odd = sum(re.fullmatch(pattern, text) is not None for text in looked)
        plain = sum(re.fullmatch(_PLAIN, text) is not None for text in looked)
        if odd and odd + plain >= LEAST_SHARE * len(looked):
            return form
    return ""
