"""The grid a map is measured on, checked against what the probe can reach."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from bluesky import plan_stubs as bps
from bluesky.protocols import Movable, NamedMovable, Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.devices import Beam
from daisy_bluesky.plans._numbers import positive, share


def grid_shape(probe: NamedMovable[Any], shape: Sequence[int] | None) -> tuple[int, int]:
    """Return the shape of the map, (rows, columns) pixels.

    Raises
    ------
    ValueError
        The shape is not two positive numbers, or does not fit into the probe's field.
    """
    field = getattr(probe, "shape", None)
    if shape is None:
        if field is None:
            raise ValueError(f"shape: {probe.name} does not tell its field; give shape=(rows, columns)")
        shape = field
    try:
        sides = np.asarray(shape)
    except ValueError:
        sides = np.empty(0)
    if sides.shape != (2,) or sides.dtype.kind not in "iuf" or np.any((sides < 2) | (sides % 1 != 0)):
        raise ValueError(f"shape: {shape} is not (rows, columns) of at least 2 x 2 pixels")
    rows, columns = (int(side) for side in sides)
    if field is not None and (rows > field[0] or columns > field[1]):
        raise ValueError(
            f"shape: {rows} x {columns} does not fit into the {field[0]} x {field[1]} field of {probe.name}"
        )
    return rows, columns


def named(probe: Movable[Any]) -> NamedMovable[Any]:
    """Return the probe, which must have a name.

    Raises
    ------
    ValueError
        It has none.
    """
    if not isinstance(probe, NamedMovable):
        raise ValueError(f"probe: {probe!r} is no positioner with a name; give one that takes (row, column)")
    return probe


def checked_detectors(detectors: Sequence[Readable[Any]]) -> list[Readable[Any]]:
    """Return the detectors as a list.

    Raises
    ------
    ValueError
        One is no detector, or is there twice: it would cost the specimen a second exposure.
    """
    if isinstance(detectors, str | Readable) or not isinstance(detectors, Iterable):
        raise ValueError(f"detectors: {detectors!r} is not a list; give one, such as [haadf, eds]")
    found = list(detectors)
    for detector in found:
        if not isinstance(detector, Readable):
            raise ValueError(f"detectors: {detector!r} is no detector; give devices, such as haadf and eds")
    names = [detector.name for detector in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"detectors: {', '.join(twice)} is there twice; name every detector once")
    return found


def visits_of(fraction: float, pixels: int) -> int:
    """Return how many pixels a fraction of so many is.

    Raises
    ------
    ValueError
        The fraction is not in (0, 1].
    """
    return max(1, round(share("fraction", fraction) * pixels))


def shared_beam(detectors: Sequence[Readable[Any]]) -> Beam | None:
    """Return the beam the detectors hold, None for detectors that hold none.

    Raises
    ------
    ValueError
        The detectors hold different beams.
    """
    beams = {id(beam): beam for d in detectors if (beam := getattr(d, "beam", None)) is not None}
    if len(beams) > 1:
        raise ValueError("detectors: they hold different beams; build them with the same one")
    return next(iter(beams.values()), None)


def set_dwell_time(
    detectors: Sequence[Readable[Any]], dwell_time: float | None, before: Mapping[str, float] | None = None
) -> MsgGenerator[None]:
    """Set the dwell time, s, of every detector that has one; None leaves them as they are, or were `before` by name.

    Raises
    ------
    ValueError
        The dwell time is not positive.
    """
    if dwell_time is not None:
        dwell_time = positive("dwell_time", dwell_time, "seconds")
    for detector in detectors:
        wanted = (before or {}).get(detector.name) if dwell_time is None else dwell_time
        if wanted is not None and (signal := getattr(detector, "dwell_time", None)) is not None:
            yield from bps.abs_set(signal, wanted, wait=True)


def map_metadata(
    name: str,
    detectors: Sequence[Readable[Any]],
    probe: NamedMovable[Any],
    shape: tuple[int, int],
    points: int,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the metadata that stock grid plans give: detectors, motors, shape, extents, hints."""
    rows, columns = shape
    axes = list(getattr(probe, "hints", {}).get("fields", []))
    return {
        "plan_name": name,
        "plan_args": {"detectors": [detector.name for detector in detectors], "probe": probe.name, **arguments},
        "detectors": [detector.name for detector in detectors],
        "motors": [probe.name],
        "shape": [rows, columns],
        "extents": [[0, rows - 1], [0, columns - 1]],
        "num_points": points,
        "num_intervals": max(0, points - 1),
        **{name: getattr(probe, name) for name in ("pixel_size", "field") if hasattr(probe, name)},
        "hints": {
            "gridding": "rectilinear_nonsequential",
            "dimensions": [([axis], "primary") for axis in axes],
        },
    }
