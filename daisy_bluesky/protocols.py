"""The seams of the house: what one floor asks of another, and nothing more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Clock(Protocol):
    """Where an instrument's seconds come from: the wall, or a simulation that jumps ahead."""

    @property
    def simulated(self) -> bool:
        """True when waiting costs no wall time."""
        ...

    def now(self) -> float:
        """Return the seconds since the clock started."""
        ...

    def advance(self, seconds: float) -> None:
        """Let time pass: sleep, or jump ahead when simulated."""
        ...


@dataclass(frozen=True)
class Exposure:
    """One unblanking of the beam at one place, as one detector sees it.

    Attributes
    ----------
    number : int
        Running number of the exposure since the beam was created, from 1.
    row, column : float
        Probe position in pixels; pixel centres lie at integers.
    start : float
        Clock time at which this detector began to integrate, s.
    dwell : float
        How long this detector integrates, s.
    current : float
        Beam current, pA.
    visit : int
        Number of exposures the nearest pixel had received before this one.
    """

    number: int
    row: float
    column: float
    start: float
    dwell: float
    current: float
    visit: int


@runtime_checkable
class Instrument(Protocol):
    """A back end: the little that the devices ask of a microscope, real or simulated.

    Attributes
    ----------
    name : str
        Short name, stored with every run.
    shape : tuple of int
        The scannable field, (rows, columns), pixels.
    pixel_size : float
        Distance between pixel centres, nm.
    clock : Clock
        The instrument's clock.
    detectors : frozenset of str
        Which of ``"haadf"``, ``"eds"`` and ``"eels"`` the instrument has.
    """

    name: str
    shape: tuple[int, int]
    pixel_size: float
    clock: Clock
    detectors: frozenset[str]

    def describe(self, detector: str) -> Mapping[str, Any]:
        """Return what is fixed about a detector, e.g. ``{"offset": 0.0, "dispersion": 0.01, "channels": 2048}``."""
        ...

    def blank(self) -> None:
        """Take the beam off the specimen (or park it off the field where no fast blanker exists)."""
        ...

    def unblank(self) -> None:
        """Let the beam onto the specimen."""
        ...

    def place_probe(self, row: float, column: float) -> None:
        """Deflect the probe to a position in pixels."""
        ...

    def arm(self, detector: str, dwell: float) -> None:
        """Prepare a detector to integrate for `dwell` seconds from the next unblanking."""
        ...

    def read_out(self, detector: str, exposure: Exposure) -> Mapping[str, Any]:
        """Return what a detector measured in an exposure that has ended.

        ``"haadf"``: ``{"intensity": float}``; ``"eds"``: ``{"spectrum": (channels,) uint32 counts, "live_time": s,
        "real_time": s}``; ``"eels"``: ``{"spectrum": (channels,) float32}``.
        """
        ...


@dataclass(frozen=True)
class FrameExposure:
    """One scan of the beam over a grid of pixels, line by line.

    Attributes
    ----------
    number : int
        Number of the frame among those that the field has received, from 0.
    shape : tuple of int
        Lines and pixels of a line, (rows, columns).
    pixel_size : float
        Distance between its pixels, nm.
    origin : tuple of float
        Where its first pixel lies, (row, column), in pixels of the field.
    start : float
        Clock time at which the beam comes on, s.
    dwell : float
        Dwell time of a pixel, s.
    current : float
        Beam current, pA.
    sub_pixel : int
        Places along each axis over which the beam is moved within a pixel; 1 keeps it at the centre.
    """

    number: int
    shape: tuple[int, int]
    pixel_size: float
    origin: tuple[float, float]
    start: float
    dwell: float
    current: float
    sub_pixel: int = 1


@runtime_checkable
class FrameInstrument(Instrument, Protocol):
    """An instrument that scans whole frames itself.

    Attributes
    ----------
    fly_back_time : float
        Time the beam takes to return at the end of each line, with the beam on the specimen, s.
    overhead_time : float
        Time between frames, with the beam off the specimen, s.
    """

    fly_back_time: float
    overhead_time: float

    def arm_frame(self, detectors: Sequence[str], frame: FrameExposure) -> None:
        """Prepare detectors for a frame."""
        ...

    def scan_line(self, frame: FrameExposure, row: int) -> None:
        """Lead the beam, which is on, along a line and back; return when that is done."""
        ...

    def read_frame(self, detector: str, frame: FrameExposure) -> Mapping[str, Any]:
        """Return what a detector measured in a frame whose lines have all been scanned.

        ``"haadf"``: ``{"image": (rows, columns)}``; ``"eds"``: ``{"events": (n,) structured row, column, channel,
        count, ascending by row}``; ``"eels"``: ``{"spectra": (rows, columns, channels) float32}``.
        """
        ...

    def end_frame(self, frame: FrameExposure, lines: int) -> None:
        """Take note that the beam has left a frame after so many of its lines, and let the overhead time pass."""
        ...


class Policy(Protocol):
    """Decides where the next electrons go."""

    shape: tuple[int, int]

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits as a structured array (row, column, dwell); empty when nothing is left."""
        ...

    def ingest(
        self,
        positions: ArrayLike,
        evidence: ArrayLike,
        *,
        dwell: ArrayLike | None = None,
        visits: ArrayLike | None = None,
    ) -> None:
        """Take in what visits to `positions`, (n, 2), found; a visit id seen before is replaced."""
        ...

    def restrict(self, allowed: ArrayLike) -> None:
        """Say where visits may still be suggested, (rows, columns) bool; it replaces what was said before."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """The map as used for deciding, (rows, columns) int."""
        ...

    def expected_at(self, row: int, column: int) -> float:
        """Return the expected reduction in distortion of a visit to a pixel."""
        ...

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int."""
        ...

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Return (estimate, low, high) of the total distortion that remains."""
        ...


class Labeller(Protocol):
    """Gives every spectrum a phase, and thinks again when a phase nobody announced turns up."""

    @property
    def phases(self) -> Sequence[str]:
        """Names of the phases known so far; label k is ``phases[k - 1]``."""
        ...

    def label(self, visit: int, spectrum: NDArray[np.generic]) -> int:
        """Return 0 for a failed spectrum, 1..L for a phase, -1 for a phase not known yet."""
        ...

    def label_batch(self, visits: Sequence[int], spectra: NDArray[np.generic]) -> NDArray[np.int64]:
        """Return such labels of several spectra (n, channels), (n,), once all of them are known."""
        ...

    def log_likelihood(self, spectrum: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the log-likelihood of each known phase, (phases,), nats, up to a term all phases share."""
        ...

    def log_likelihoods(self, spectra: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return those of several spectra (n, channels), (n, phases)."""
        ...

    def relabelled(self) -> Sequence[tuple[Any, int]]:
        """Return (visit, label) of every earlier spectrum whose label has changed since last asked."""
        ...

    def mean_spectra(self) -> NDArray[np.float64]:
        """Return the mean spectrum of each phase as measured so far, (phases, channels) counts."""
        ...
