"""Amounts as they are typed: bytes with their unit, lists of numbers."""

import re
from math import isfinite

BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
AMOUNT = re.compile(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*")


def number_of_bytes(name: str, text: str) -> int:
    """Return an amount of memory such as ``4GB`` or ``500 MiB``, bytes.

    Raises
    ------
    ValueError
        It is none.
    """
    match = AMOUNT.fullmatch(text)
    try:
        if match is not None and float(match[1]) > 0:
            return int(float(match[1]) * BYTES[match[2].upper()])
    except (ValueError, KeyError):
        match = None
    raise ValueError(f"{name}: {text!r} is no amount of memory; give one like 4GB or 500MB")


def numbers(name: str, text: str, *lengths: int) -> list[float]:
    """Return a list of numbers such as ``12,40,30``.

    Raises
    ------
    ValueError
        It is none, or has another length than those allowed.
    """
    try:
        found = [value for part in text.split(",") if isfinite(value := float(part))]
    except ValueError:
        found = []
    if len(found) not in lengths:
        allowed = " or ".join(str(length) for length in lengths)
        raise ValueError(f"{name}: {text!r} is no list of {allowed} numbers with commas between them")
    return found
