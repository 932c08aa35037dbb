"""A virtual microscope with all its overheads, and what runs of it measure of lines and edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from daisy_bluesky.bench._engine import new_engine
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import raster_map, sparse_map
from daisy_bluesky.protocols import Exposure
from daisy_bluesky.sampling import reconstruct_noisy
from daisy_bluesky.specimen import VirtualSpecimen
from daisy_bluesky.spectra import ElementSignal, element_signal

Floats = NDArray[np.float64]

_LONG = 1e6  # times the dwell time, for a spectrum without noise
_ELECTRONS_PER_PICOCOULOMB = 6.241509074e6


@dataclass(frozen=True)
class Microscope:
    """A specimen under a beam, and what every visit costs beside its dwell time.

    Attributes
    ----------
    specimen : VirtualSpecimen
        What is measured.
    detector : str
        ``"eds"`` or ``"eels"``.
    current : float
        Beam current, pA.
    dwell : float
        Dwell time of a sparse visit, s.
    settling, read_out : float
        Time of a visit beside that, s.
    """

    specimen: VirtualSpecimen
    detector: str
    current: float
    dwell: float
    settling: float
    read_out: float

    @property
    def overhead(self) -> float:
        """Time of a visit beside its dwell time, s."""
        return self.settling + self.read_out

    def dose_of(self, fraction: float) -> float:
        """Return the mean dose over the map, e-/A^2, when such a fraction of the pixels is visited once."""
        area = (10 * self.specimen.pixel_size) ** 2
        return fraction * self.current * self.dwell * _ELECTRONS_PER_PICOCOULOMB / area

    def signals(self, names: Sequence[str]) -> dict[str, ElementSignal]:
        """Return lines or edges by name, with the camera's noise as the instrument tells it."""
        axis = self.specimen.eds_axis if self.detector == "eds" else self.specimen.eels_axis
        camera = self.specimen.eels_noise if self.detector == "eels" else None
        return {name: element_signal(name, {axis.unit: axis}, camera) for name in names}

    def true_rates(self, name: str) -> Floats:
        """Return the net counts per second of a line or edge without noise, (rows, columns)."""
        signal, rates = self.signals([name])[name], []
        for phase in range(len(self.specimen.phases)):
            row, column = np.unravel_index(self.specimen.fractions[..., phase].argmax(), self.specimen.shape)
            seconds = _LONG * self.dwell
            exposure = Exposure(0, float(row), float(column), 0.0, seconds, self.current, visit=0)
            seen = self.specimen.eds(exposure) if self.detector == "eds" else self.specimen.eels(exposure)
            rates.append(signal.rate(seen["spectrum"], seen.get("live_time", seconds))[0])
        return np.asarray(self.specimen.fractions @ np.array(rates), np.float64)


@dataclass(frozen=True)
class Measured:
    """What a run has measured.

    Attributes
    ----------
    places : (n, 2) int64
        Where the visits were, pixels.
    rates : mapping of str to (n, 2) float64
        Net counts per second and their variances, by line or edge.
    electrons : float
        Electrons through the specimen.
    seconds : float
        Time it took on the instrument's clock, s.
    """

    places: NDArray[np.int64]
    rates: Mapping[str, Floats]
    electrons: float
    seconds: float

    def image(self, name: str, shape: tuple[int, int]) -> Floats:
        """Return the map of a line or edge, with the spatial prior that all competitors share.

        Visits to one pixel, which are equally long, are averaged.
        """
        places, which, visits = np.unique(self.places, axis=0, return_inverse=True, return_counts=True)
        values, variances = (np.bincount(which.ravel(), column) for column in self.rates[name].T)
        return reconstruct_noisy(shape, places, values / visits, variances / visits**2)[0]


class _Collector:
    """Reads lines or edges from the events of a run."""

    def __init__(self, signals: Mapping[str, ElementSignal], detector: str) -> None:
        self._signals, self._detector = signals, detector
        self.places: list[tuple[int, int]] = []
        self.rates: list[list[tuple[float, float]]] = []
        self.charge = 0.0

    def __call__(self, name: str, document: Mapping[str, Any]) -> None:
        data = document["data"] if name == "event" else {}
        if f"{self._detector}_spectrum" in data:
            seconds = float(data.get(f"{self._detector}_live_time", data["beam_dwell_time"]))
            spectrum = np.asarray(data[f"{self._detector}_spectrum"])
            self.places.append((round(data["probe_row"]), round(data["probe_column"])))
            self.rates.append([signal.rate(spectrum, seconds) for signal in self._signals.values()])
            self.charge += float(data["beam_charge"])


def run(microscope: Microscope, names: Sequence[str], plan: Any, **arguments: Any) -> Measured:
    """Run a plan of detectors and a probe through a RunEngine and return what it has measured.

    Parameters
    ----------
    microscope : Microscope
        What measures; as new for every run.
    names : sequence of str
        Lines or edges that are looked at.
    plan : callable
        Takes detectors and probe, and `arguments`.
    """
    instrument = VirtualInstrument(
        microscope.specimen,
        faults={microscope.detector: lambda _: instrument.clock.advance(microscope.read_out)},
    )
    devices = make_devices(instrument, current=microscope.current, settle_time=microscope.settling)
    collector = _Collector(microscope.signals(names), microscope.detector)
    messages: MsgGenerator[Any] = plan([getattr(devices, microscope.detector)], devices.probe, **arguments)
    with new_engine() as engine:
        engine(messages, collector)
    return Measured(
        np.array(collector.places),
        {name: np.array([rates[i] for rates in collector.rates]) for i, name in enumerate(names)},
        collector.charge * _ELECTRONS_PER_PICOCOULOMB,
        instrument.clock.now(),
    )


def rivals(microscope: Microscope, names: Sequence[str], fraction: float, seed: int) -> dict[str, Measured | None]:
    """Run what a sparse map of such a fraction stands beside: no plan where its time is less than its overheads.

    Returns
    -------
    dict
        ``"jittered"``, of the same visits; ``"equal electrons"`` and ``"equal time"``, rasters over all pixels.
    """
    shared = fraction * microscope.dwell
    in_time = fraction * (microscope.dwell + microscope.overhead) - microscope.overhead
    return {
        "jittered": run(
            microscope, names, sparse_map, dwell_time=microscope.dwell, fraction=fraction, pattern="jittered", seed=seed
        ),
        "equal electrons": run(microscope, names, raster_map, dwell_time=shared),
        "equal time": run(microscope, names, raster_map, dwell_time=in_time) if in_time > 0 else None,
    }
