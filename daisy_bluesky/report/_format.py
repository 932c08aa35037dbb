"""Numbers as a microscopist reads them."""

from math import isfinite

DASH = "–"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_powers(value: float) -> str:
    """Return a large number as ``"3.1×10⁹"``; below 10,000 with three figures or in full."""
    if not isfinite(value) or abs(value) < 1e4:
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def duration(seconds: float) -> str:
    """Return a time with the unit that suits it, ``"5 ms"`` to ``"3.2 h"``."""
    if not isfinite(seconds):
        return DASH
    for limit, unit, name in ((1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 3600:.3g} h"


def share(value: float | None) -> str:
    """Return a fraction, ``"0.0043"``, or a dash where there is none."""
    return DASH if value is None else f"{value:.4f}"


def size(number: float) -> str:
    """Return a number of bytes, ``"12.3 MB"``."""
    for limit, unit, name in ((1e3, 1, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if number < limit:
            return f"{number / unit:.3g} {name}"
    return f"{number / 1e9:.3g} GB"


def objects(found: tuple[int, int] | None) -> str:
    """Return how many of how many objects were found, ``"28 of 29"``, or a dash."""
    return DASH if found is None else "{} of {}".format(*found)
