"""Spectra as NumPy archives: lists of counts by place, or one array."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._events import pairs_of
from daisy_bluesky.lbj._exchanged import Spectra, spectra_of
from daisy_bluesky.lbj._header import Header

_LISTS = ("y", "x", "ch", "n", "shape")
_NAMES = frozenset((*_LISTS, "data", "dtype", "e_offset", "e_scale", "unit", "metadata"))
_FIELDS = ("row", "column", "channel", "count")
_AXIS = ("offset", "dispersion", "unit")


def read_archive(path: Path) -> Spectra:
    """Return what an .npz file holds.

    Raises
    ------
    ValueError
        If it is none, or holds no spectra.
    """
    content = _content(path)
    metadata = {**_metadata_of(content), **_axis_of(content)}
    if all(name in content for name in _LISTS):
        return _from_lists(content, metadata)
    if "data" not in content or content["data"].ndim < 1:
        raise ValueError(f"it holds neither the lists {', '.join(_LISTS)} nor an array data")
    return spectra_of(content["data"], metadata)


def write_archive(path: Path, spectra: Spectra) -> None:
    """Write spectra to a new .npz file: one item of counts as lists, others as an array."""
    with path.open("xb") as file:
        np.savez_compressed(file, **dict(_arrays(spectra)))  # type: ignore[arg-type]


def _content(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in _NAMES}
    except Exception as error:  # a broken archive raises anything, from zlib.error to NotImplementedError
        if "Object arrays" in str(error):
            raise ValueError("it holds Python objects; save arrays of numbers") from error
        raise ValueError("it is no .npz archive, or a truncated one; copy it again") from error


def _from_lists(content: Mapping[str, NDArray[Any]], metadata: dict[str, Any]) -> Spectra:
    shape = content["shape"]
    lists = [content[name] for name in ("y", "x", "ch", "n")]
    if shape.dtype.kind not in "iu" or shape.shape != (3,) or len({each.shape for each in lists}) != 1:
        raise ValueError("its lists y, x, ch and n differ in length, or its shape is not (rows, columns, channels)")
    if any(each.dtype.kind not in "iu" or each.ndim != 1 for each in lists):
        raise ValueError("its lists y, x, ch and n are not whole numbers")
    rows, columns, channels = (int(length) for length in shape)
    events = np.empty(lists[0].size, [(name, each.dtype) for name, each in zip(_FIELDS, lists, strict=True)])
    for name, each in zip(_FIELDS, lists, strict=True):
        events[name] = each
    dtype = _dtype_of(content)
    pairs_of(events, Header.of((rows, columns), channels, dtype, None))  # refuses what does not lie or fit in it
    return Spectra((rows, columns), channels, dtype, metadata, [events])


def _dtype_of(content: Mapping[str, NDArray[Any]]) -> np.dtype[Any]:
    """Return the type of the counts: the one that is named, or uint32 where they fit in."""
    if "dtype" in content:
        named = str(content["dtype"])
        if named not in {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}:
            raise ValueError(f"its dtype {named!r} is no integer type; name one such as uint16")
        return np.dtype(named)
    counts, limits = content["n"], np.iinfo(np.uint32)
    fits = not counts.size or limits.min <= int(counts.min()) <= int(counts.max()) <= limits.max
    return np.dtype(np.uint32) if fits else counts.dtype.newbyteorder("=")


def _metadata_of(content: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    if "metadata" not in content:
        return {}
    try:
        metadata = json.loads(str(content["metadata"]))
    except ValueError as error:
        raise ValueError("its metadata are not JSON") from error
    if not isinstance(metadata, dict):
        raise ValueError("its metadata are no JSON object")
    return metadata


def _axis_of(content: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    if not {"e_offset", "e_scale"} <= set(content):
        return {}
    offset, scale = (content[name] for name in ("e_offset", "e_scale"))
    if any(number.size != 1 or number.dtype.kind not in "iuf" for number in (offset, scale)):
        raise ValueError("its e_offset and e_scale must be one number each")
    unit = str(content["unit"]) if "unit" in content else "keV" if all(name in content for name in _LISTS) else "eV"
    axis = {"offset": float(offset.reshape(())), "dispersion": float(scale.reshape(()))}
    return {**axis, "unit": unit} if unit else axis


def _arrays(spectra: Spectra) -> Iterator[tuple[str, NDArray[Any]]]:
    axis = {name: spectra.metadata[name] for name in _AXIS if name in spectra.metadata}
    if not all(isinstance(axis.get(name), int | float) for name in ("offset", "dispersion")):
        axis = {}
    if axis:
        yield "e_offset", np.array(float(axis["offset"]))
        yield "e_scale", np.array(float(axis["dispersion"]))
        yield "unit", np.asarray(str(axis.get("unit", "")))
    more = {name: value for name, value in spectra.metadata.items() if name not in axis}
    if more:
        yield "metadata", np.asarray(json.dumps(more))
    if spectra.dtype.kind in "iu" and len(spectra.items) == 1 and len(spectra.shape) == 2:
        data = spectra.dense()
        places = np.nonzero(data)
        yield from zip(("y", "x", "ch"), places, strict=True)
        yield "n", data[places]
        yield "shape", np.array(data.shape)
        yield "dtype", np.asarray(spectra.dtype.name)
    else:
        yield "data", spectra.dense()
