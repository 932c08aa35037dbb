"""Registration of virtual series: displacements against the truth, beside the Bayesian bound and other packages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._displacement_error import DisplacementError, displacement_error
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_bound import bayesian_bound
from daisy_bluesky.bench._mfsi_field_peers import field_peers
from daisy_bluesky.bench._mfsi_rigid_peers import rigid_peers
from daisy_bluesky.mfsi import register
from daisy_bluesky.specimen import ScanDistortion, VirtualSeries, crystal, particles

SEEDS = range(5)
SHAPE = (200, 200)
FIELD_GATE = (0.04, 0.06)
RIGID_GATE = 0.010
CPU_GATE = 60.0  # ms a frame
STATED = (0.6, 1.6)  # of the error a frame states
BOUND_FRAMES = 3
RIGID_PEER_FRAMES = 230
FIELD_PEER_FRAMES = 10
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A series to register.

    Attributes
    ----------
    what : str
        The conditions, for the reader.
    frames : int
        Number of frames.
    shape : tuple of int
        Pixels of a frame.
    counts : float
        Mean ADF counts per pixel.
    scan : mapping
        How the scan differs from the usual one.
    periodic : bool
        A crystal, or particles scattered at random.
    """

    what: str
    frames: int = 230
    shape: tuple[int, int] = SHAPE
    counts: float = 100.0
    scan: Mapping[str, Any] = field(default_factory=dict)
    periodic: bool = True

    def series(self, seed: int) -> VirtualSeries:
        """Return the series of a seed."""
        scan = ScanDistortion(seed=seed, **self.scan)
        margin = 40.0 + self.frames * (max(scan.drift) + 0.1)
        make = crystal if self.periodic else particles
        specimen = make(self.shape, margin=margin, seed=seed)
        return VirtualSeries(specimen, self.shape, scan=scan, counts=self.counts, seed=seed)


@dataclass(frozen=True)
class Outcome:
    """What one seed gave: the errors, those expected, the bound (2,) px, CPU time a frame, ms, and frames left out."""

    error: DisplacementError
    expected: Array
    bound: Array
    milliseconds: float
    excluded: int


USUAL = Case("200 x 200, 230 frames, 100 counts/px")
MISMATCH = Case(
    "with mismatch: random field of 40 px, mains not locked to the line, 2% of the rows off by 1 px",
    scan={"field_length": 40.0, "mains": (0.0, 0.24), "outlier_rows": 0.02},
)
FEW_COUNTS = Case("10 counts/px, 230 frames", counts=10.0)
OTHERS = (
    Case("drift of 2 px a frame, 60 frames", 60, scan={"drift": (1.6, 1.2)}),
    Case("8 frames", 8),
    Case("no periodic features, 60 frames", 60, periodic=False),
    Case("60 x 94, 60 frames", 60, shape=(60, 94)),
)


def measure(_data: Path) -> Iterator[Gate]:
    """Register every case."""
    warm_up()
    yield from usual_gates(USUAL, SEEDS)
    yield field_gate(MISMATCH, SEEDS)
    yield row_gate(FEW_COUNTS, SEEDS, 1.1)
    for case in OTHERS:
        yield row_gate(case, SEEDS, 1.3)


def warm_up() -> None:
    """Compile, so that it is not timed."""
    series = Case("", shape=(64, 64)).series(0)
    register([series.image(frame) for frame in range(4)])


def outcome(case: Case, seed: int) -> Outcome:
    """Register the series of one seed."""
    series = case.series(seed)
    frames = [series.image(frame) for frame in range(case.frames)]
    began = process_time()
    registration = register(frames)
    spent = process_time() - began
    truth = np.array([series.displacement(int(frame)) for frame in registration.numbers])
    found = np.array([registration.displacement(int(frame)) for frame in registration.numbers])
    bounds = [bayesian_bound(series, frame) for frame in range(BOUND_FRAMES)]
    error = displacement_error(found, truth)
    return Outcome(
        error, registration.error, np.mean(bounds, axis=0), 1000 * spent / case.frames, len(registration.excluded)
    )


def usual_gates(case: Case, seeds: range) -> Iterator[Gate]:
    """Return the rows on rigid error, row error and time."""
    outcomes = [outcome(case, seed) for seed in seeds]
    frames, truth = _for_peers(case, seeds[0], RIGID_PEER_FRAMES)
    rigid = _rms([o.error.frame for o in outcomes])
    jumps = sum(o.error.jumps + o.excluded for o in outcomes)
    yield Gate(
        f"registration: error of frames, px rms y/x / jumped frames; {case.what}, seeds {_named(seeds)}",
        f"{_pair(rigid, 4)} / {jumps}",
        f"<= {RIGID_GATE:.3f} / 0",
        bool(rigid.max() <= RIGID_GATE and jumps == 0),
        rigid_peers(frames, truth),
        {"y": float(rigid[0]), "x": float(rigid[1]), "jumps": float(jumps)},
    )
    yield _rows(case, seeds, outcomes, 1.15, field_peers(frames, truth, FIELD_PEER_FRAMES))
    times = [o.milliseconds for o in outcomes]
    yield Gate(
        f"registration: CPU time a frame, median; {case.what}",
        f"{np.median(times):.0f} ms",
        f"<= {CPU_GATE:.0f} ms",
        bool(np.median(times) <= CPU_GATE),
        f"largest {max(times):.0f} ms",
        {"ms": float(np.median(times))},
    )
    yield stated_gate(case, seeds, outcomes)


def field_gate(case: Case, seeds: range) -> Gate:
    """Return the row on the error of every pixel."""
    outcomes = [outcome(case, seed) for seed in seeds]
    field_error = _rms([o.error.field for o in outcomes])
    jumps = sum(o.error.jumps + o.excluded for o in outcomes)
    return Gate(
        f"registration: error of pixels, px rms y/x; {case.what}, seeds {_named(seeds)}",
        _pair(field_error),
        f"<= {FIELD_GATE[0]:.2f}/{FIELD_GATE[1]:.2f}",
        bool((field_error <= FIELD_GATE).all() and jumps == 0),
        f"{jumps} jumps; rows {_pair(_rms([o.error.row for o in outcomes]))}",
        {"y": float(field_error[0]), "x": float(field_error[1]), "jumps": float(jumps)},
    )


def stated_gate(case: Case, seeds: range, outcomes: list[Outcome]) -> Gate:
    """Return the row on whether frames state the errors that they have."""
    ratios = np.concatenate([(o.error.of_frames / o.expected).ravel() for o in outcomes])
    low, middle, high = np.quantile(ratios, (0.05, 0.5, 0.95))
    return Gate(
        f"registration: error of a frame over the error it states, 5%, 50% and 95% of the frames; {case.what}, "
        f"seeds {_named(seeds)}",
        f"{low:.2f}, {middle:.2f}, {high:.2f}",
        f"{STATED[0]:g}-{STATED[1]:g}",
        bool(STATED[0] <= low and high <= STATED[1]),
        "",
        {"low": float(low), "middle": float(middle), "high": float(high)},
    )


def row_gate(case: Case, seeds: range, allowed: float) -> Gate:
    """Return the row on the error of rows against `allowed` times the bound."""
    return _rows(case, seeds, [outcome(case, seed) for seed in seeds], allowed, "")


def _rows(case: Case, seeds: range, outcomes: list[Outcome], allowed: float, beside: str) -> Gate:
    rows, bound = _rms([o.error.row for o in outcomes]), _rms([o.bound for o in outcomes])
    jumps = sum(o.error.jumps + o.excluded for o in outcomes)
    in_frame = _rms([o.error.row_in_frame for o in outcomes])
    return Gate(
        f"registration: error of rows, px rms y/x, times the Bayesian bound / jumped frames; {case.what}, "
        f"seeds {_named(seeds)}",
        f"{_pair(rows)} = {_pair(rows / bound, 2)} x {_pair(bound)} / {jumps}",
        f"<= {allowed} x / 0",
        bool((rows <= allowed * bound).all() and jumps == 0),
        f"{beside}{beside and '; '}{_pair(in_frame)} with the mean removed at pixels of the frame, not of the specimen",
        {"y": float(rows[0]), "x": float(rows[1]), "bound y": float(bound[0]), "bound x": float(bound[1])},
    )


def _for_peers(case: Case, seed: int, most: int) -> tuple[Array, Array]:
    series = case.series(seed)
    numbers = range(min(most, case.frames))
    frames = np.array([series.image(frame) for frame in numbers], dtype=np.float64)
    return frames, np.array([series.displacement(frame) for frame in numbers])


def _rms(errors: list[Array]) -> Array:
    return np.asarray(np.sqrt(np.mean(np.square(errors), axis=0)))


def _pair(values: Array, digits: int = 3) -> str:
    return "/".join(f"{value:.{digits}f}" for value in values)


def _named(seeds: range) -> str:
    return f"{seeds[0]}-{seeds[-1]}"
