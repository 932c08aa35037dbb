"""Documents as lines of JSON: what is written can be read by anything that reads JSON lines."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

Document = dict[str, Any]

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
_NUMBERS = {float, int}
_INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


def encode(name: str, document: Mapping[str, Any]) -> bytes:
    """Return a document as one line of JSON, ``{"name": ..., "doc": ...}``, newline included.

    JSON has no NaN: it is written as null. Infinities in events are to be named first, see `name_infinities`.

    Raises
    ------
    ValueError
        If the document holds something that JSON has no word for.
    """
    line = {"name": name, "doc": document}
    try:
        return orjson.dumps(line, option=_OPTIONS)
    except TypeError:
        pass
    try:
        return orjson.dumps(line, option=_OPTIONS | orjson.OPT_NON_STR_KEYS, default=_plain)
    except TypeError as error:
        cause = error.__cause__ or error
        raise ValueError(f"the {name} document cannot be written as JSON: {cause}") from None


def decode(line: bytes) -> tuple[str, Document]:
    """Return the name and the document of one line.

    Raises
    ------
    ValueError
        If the line is no document (torn, or damaged).
    """
    content = orjson.loads(line)
    if not isinstance(content, dict) or not {"name", "doc"} <= content.keys():
        raise ValueError("not a document: a line holds an object with 'name' and 'doc'")
    return content["name"], content["doc"]


def complete_lines(path: Path) -> Iterator[bytes]:
    """Yield the complete lines of a file that may still be written; a torn last line is left out."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def has_start(path: Path) -> bool:
    """Tell whether a file of documents begins with a start document: without one it is no run.

    A first line that is damaged counts as one, so that whoever reads the run says what is wrong with it.
    """
    line = next(complete_lines(path), b"")
    try:
        return bool(line) and decode(line)[0] == "start"
    except ValueError:
        return True


def name_infinities(values: Document) -> None:
    """Replace infinite floats in an event's data by ``"Infinity"`` and ``"-Infinity"``, in place."""
    for key, value in values.items():
        if isinstance(value, float | np.floating):
            if math.isinf(value):
                values[key] = _named(float(value))
        elif isinstance(value, list | tuple | np.ndarray):
            values[key] = _named_in_array(value)


def restore_floats(values: Document, keys: frozenset[str]) -> None:
    """Turn null back into NaN, and the names of the infinities into floats, under the given keys, in place."""
    for key in keys & values.keys():
        values[key] = _restored(values[key])


def _named(value: float) -> str:
    return "Infinity" if value > 0 else "-Infinity"


def _named_in_array(value: Any) -> Any:
    if isinstance(value, list) and _are_finite(value):
        return value
    array = np.asarray(value)
    if array.dtype.kind != "f" or not np.isinf(array).any():
        return value
    return _named_in_list(array.tolist())


def _are_finite(values: list[Any]) -> bool:
    """Tell whether values are, on the face of it, numbers and none is infinite."""
    return _NUMBERS.issuperset(map(type, values)) and math.inf not in values and -math.inf not in values


def _named_in_list(value: Any) -> Any:
    if isinstance(value, list):
        return [_named_in_list(item) for item in value]
    return _named(value) if math.isinf(value) else value


def _restored(value: Any) -> Any:
    if value is None:
        return math.nan
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return _INFINITIES.get(value, value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r}; give plain numbers, text, lists or dictionaries")
