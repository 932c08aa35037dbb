"""The data key of a number."""

from typing import Any


def number_key(source: str, units: str) -> dict[str, Any]:
    """Return the data key of a float64, of which an event has one."""
    return {"source": source, "dtype": "number", "shape": [], "dtype_numpy": "<f8", "units": units}
