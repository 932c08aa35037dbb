"""Maps whose positions are known beforehand: the raster, and sparse patterns that ask nobody."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Movable, NamedMovable, Readable
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from daisy_bluesky.plans._grid import (
    checked_detectors,
    grid_shape,
    map_metadata,
    named,
    set_dwell_time,
    shared_beam,
)
from daisy_bluesky.plans._metadata import joined_metadata
from daisy_bluesky.plans._numbers import positive, share, whole
from daisy_bluesky.plans._visit import Visit, staged_run
from daisy_bluesky.sampling import patterns

PATTERNS = {name: getattr(patterns, name) for name in ("raster", "random", "jittered", "line_hop", "sobol", "halton")}


def raster_map(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    *,
    shape: Sequence[int] | None = None,
    dwell_time: float | None = None,
    timeout: float = 60.0,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str | None]:
    """Measure every pixel of a field, row by row.

    Parameters
    ----------
    detectors : list of Readable
        What is triggered and read at every position.
    probe : Movable
        Probe positioner that takes ``(row, column)`` in pixels.
    shape : (int, int), optional
        Rows and columns of the map, pixels; the whole field when not given.
    dwell_time : float, optional
        Dwell time of all detectors, s.
    timeout : float
        Longest wait for a move or an exposure, s.
    md : dict, optional
        Metadata.

    Yields
    ------
    msg : Msg

    Returns
    -------
    str or None
        Uid of the run.

    Raises
    ------
    ValueError
        One line naming the parameter that is wrong; nothing has been exposed.
    """
    probe = named(probe)
    grid = grid_shape(probe, shape)
    positions = np.argwhere(np.ones(grid, dtype=bool))
    return (
        yield from _map("raster_map", checked_detectors(detectors), probe, grid, positions, dwell_time, timeout, {}, md)
    )


def sparse_map(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    *,
    shape: Sequence[int] | None = None,
    dwell_time: float | None = None,
    fraction: float = 0.2,
    pattern: str = "jittered",
    seed: int = 0,
    timeout: float = 60.0,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str | None]:
    """Measure a fraction of the pixels in a pattern that does not depend on what is found.

    Parameters
    ----------
    detectors : list of Readable
        What is triggered and read at every position.
    probe : Movable
        Probe positioner that takes ``(row, column)`` in pixels.
    shape : (int, int), optional
        Rows and columns of the map, pixels; the whole field when not given.
    dwell_time : float, optional
        Dwell time of all detectors, s.
    fraction : float
        Fraction of the pixels to measure, in (0, 1].
    pattern : str
        ``"raster"`` (a coarser grid), ``"random"``, ``"jittered"``, ``"line_hop"``, ``"sobol"`` or ``"halton"`` (low
        discrepancy).
    seed : int
        Seed of the pattern.
    timeout : float
        Longest wait for a move or an exposure, s.
    md : dict, optional
        Metadata.

    Yields
    ------
    msg : Msg

    Returns
    -------
    str or None
        Uid of the run.

    Raises
    ------
    ValueError
        One line naming the parameter that is wrong; nothing has been exposed.
    """
    if not isinstance(pattern, str) or pattern not in PATTERNS:
        raise ValueError(f"pattern: {pattern!r} is none of {', '.join(PATTERNS)}")
    probe = named(probe)
    grid = grid_shape(probe, shape)
    positions = PATTERNS[pattern](grid, share("fraction", fraction), seed=whole("seed", seed, 0))
    arguments = {"fraction": fraction, "pattern": pattern, "seed": seed}
    return (
        yield from _map(
            "sparse_map",
            checked_detectors(detectors),
            probe,
            grid,
            positions,
            dwell_time,
            timeout,
            arguments,
            md,
        )
    )


def _map(
    name: str,
    detectors: list[Readable[Any]],
    probe: NamedMovable[Any],
    grid: tuple[int, int],
    positions: NDArray[np.int64],
    dwell_time: float | None,
    timeout: float,
    arguments: Mapping[str, Any],
    md: Mapping[str, Any] | None,
) -> MsgGenerator[str | None]:
    beam = shared_beam(detectors)
    readables = [] if beam is None else [beam]
    visit = Visit(detectors, probe, readables, timeout=positive("timeout", timeout, "seconds"))
    metadata = map_metadata(name, detectors, probe, grid, len(positions), {**arguments, "dwell_time": dwell_time})

    yield from set_dwell_time(detectors, dwell_time)
    plan = _visit_all(visit, positions)
    return (yield from staged_run(plan, [*readables, *detectors, probe], joined_metadata(metadata, md)))


def _visit_all(visit: Visit, positions: NDArray[np.int64]) -> MsgGenerator[str | None]:
    for row, column in positions.tolist():
        yield from visit(row, column)
    return None
