"""A microscope whose specimen is computed."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from daisy_bluesky.devices.backends._clocks import SimulatedClock
from daisy_bluesky.protocols import Clock, Exposure
from daisy_bluesky.spectra import EnergyAxis


class Specimen(Protocol):
    """What a back end asks of a specimen, simulated or recorded."""

    @property
    def shape(self) -> tuple[int, int]:
        """The field, (rows, columns), pixels."""
        ...

    @property
    def pixel_size(self) -> float:
        """Distance between pixel centres, nm."""
        ...

    @property
    def identity(self) -> str:
        """The same for the same specimen, in any process."""
        ...

    @property
    def eds_axis(self) -> EnergyAxis | None:
        """Energy axis of the EDS spectra; None where there are none."""
        ...

    @property
    def eels_axis(self) -> EnergyAxis | None:
        """Energy axis of the EELS spectra; None where there are none."""
        ...

    def haadf(self, exposure: Exposure) -> float:
        """Return the HAADF intensity."""
        ...

    def eds(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return ``{"spectrum": (channels,) uint32 counts, "live_time": s, "real_time": s}``."""
        ...

    def eels(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return ``{"spectrum": (channels,) float32}``."""
        ...


class VirtualInstrument:
    """Exposes a specimen model.

    Parameters
    ----------
    specimen : Specimen
        What lies under the beam.
    clock : Clock, optional
        The instrument's clock; a simulated one when None.
    faults : mapping of str to callable, optional
        Trouble to be had, by detector: called with every exposure before its read-out, it may raise or take time.

    Attributes
    ----------
    blanked : bool
        Whether the beam is off the specimen.
    position : tuple of float
        Where the probe is, (row, column), pixels.
    """

    name = "virtual"

    def __init__(
        self,
        specimen: Specimen,
        *,
        clock: Clock | None = None,
        faults: Mapping[str, Callable[[Any], None]] | None = None,
    ) -> None:
        self.specimen = specimen
        self.shape = specimen.shape
        self.pixel_size = specimen.pixel_size
        self.specimen_identity = specimen.identity
        self.clock = SimulatedClock() if clock is None else clock
        self.blanked = True
        self.position = (0.0, 0.0)
        self._axes = {"eds": specimen.eds_axis, "eels": specimen.eels_axis}
        self._faults = dict(faults or {})
        self.detectors = frozenset({"haadf", *(key for key, axis in self._axes.items() if axis is not None)})

    def describe(self, detector: str) -> Mapping[str, Any]:
        """Return offset, dispersion, channels and unit of a spectrometer's energy axis, and its camera's noise."""
        axis = self._axes.get(detector)
        if axis is None:
            return {}
        fixed = {"offset": axis.offset, "dispersion": axis.dispersion, "channels": axis.channels, "unit": axis.unit}
        return fixed | (getattr(self.specimen, "eels_noise", {}) if detector == "eels" else {})

    def blank(self) -> None:
        """Take the beam off the specimen."""
        self.blanked = True

    def unblank(self) -> None:
        """Let the beam onto the specimen."""
        self.blanked = False

    def place_probe(self, row: float, column: float) -> None:
        """Deflect the probe to a position in pixels."""
        self.position = (row, column)

    def arm(self, detector: str, dwell: float) -> None:
        """Check that there is such a detector; a computed one needs no preparation.

        Raises
        ------
        ValueError
            If the specimen gives no such signal, or the dwell time is not positive.
        """
        if detector not in self.detectors:
            raise ValueError(f"{self.name}: there is no detector {detector!r}, only {sorted(self.detectors)}")
        if not dwell > 0:
            raise ValueError(f"{detector}: a dwell time of {dwell} s is not positive")

    def read_out(self, detector: str, exposure: Exposure) -> Mapping[str, Any]:
        """Return what the specimen gives in an exposure."""
        if detector in self._faults:
            self._faults[detector](exposure)
        if detector == "haadf":
            return {"intensity": self.specimen.haadf(exposure)}
        return self.specimen.eds(exposure) if detector == "eds" else self.specimen.eels(exposure)
