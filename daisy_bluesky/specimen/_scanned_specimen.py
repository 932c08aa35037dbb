"""A projected specimen under a microscope that scans frames of any part of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Exposure, FrameExposure
from daisy_bluesky.specimen._eds_model import EDS_AXIS
from daisy_bluesky.specimen._fast_electron import ELECTRONS_PER_PICOCOULOMB
from daisy_bluesky.specimen._frame_damage import Damage
from daisy_bluesky.specimen._frame_detector import ScanDetector
from daisy_bluesky.specimen._frame_scan import ScanDistortion
from daisy_bluesky.specimen._frame_series import VirtualSeries
from daisy_bluesky.specimen._frame_specimen import ProjectedSpecimen, crystal, particles
from daisy_bluesky.specimen._frame_spectra import DriftingSpectrometer
from daisy_bluesky.spectra import EnergyAxis

ADF_YIELD = 0.05
XRAY_YIELD = 8e-6
EELS_YIELD = 0.5
_SAMPLE = 128  # pixels of the field along each axis that the yields refer to
_STILL = ScanDistortion(drift=(0.0, 0.0), walk=0.0, jitter=(0.0, 0.0), field=0.0)


class ScannedSpecimen:
    """Gives frames of any region, pixel size, dwell time and current, and remembers the dose that every place had.

    Parameters
    ----------
    specimen : ProjectedSpecimen
        What is looked at; its pixels are those of the field.
    shape : tuple of int
        The field, (rows, columns), px.
    scan : ScanDistortion, optional
        How scans go wrong, in pixels of the frame.
    detector : ScanDetector, optional
        The ADF detector.
    spectrometer : DriftingSpectrometer, optional
        The EELS spectrometer; its number of electrons follows from dwell time and current.
    damage : Damage, optional
        What the beam does to the specimen.
    adf_yield, xray_yield, eels_yield : float, optional
        Signals per electron of the beam: detected ADF electrons and X-rays, electrons in an EELS spectrum.
    seed : int, optional
        Seed of the noise, and of the scan's distortion where none is given.

    Raises
    ------
    ValueError
        If a yield is not positive.
    """

    def __init__(
        self,
        specimen: ProjectedSpecimen,
        shape: tuple[int, int],
        *,
        scan: ScanDistortion | None = None,
        detector: ScanDetector | None = None,
        spectrometer: DriftingSpectrometer | None = None,
        damage: Damage | None = None,
        adf_yield: float = ADF_YIELD,
        xray_yield: float = XRAY_YIELD,
        eels_yield: float = EELS_YIELD,
        seed: int = 0,
    ) -> None:
        if not min(adf_yield, xray_yield, eels_yield) > 0:
            raise ValueError("yields: a specimen gives signals above zero per electron")
        self.shape = (int(shape[0]), int(shape[1]))
        self.pixel_size = specimen.pixel_size
        self.projected = specimen
        self.scan = ScanDistortion(seed=seed) if scan is None else scan
        self.detector = ScanDetector() if detector is None else detector
        self.spectrometer = DriftingSpectrometer() if spectrometer is None else spectrometer
        self.damage = Damage() if damage is None else damage
        self._yields = (adf_yield, xray_yield, eels_yield)
        self._seed = seed
        self._reference = self._mean_signals()
        self._dose: NDArray[np.float32] = np.zeros(self.shape, np.float32)

    @classmethod
    def demo(cls, kind: str = "crystal", shape: tuple[int, int] = (256, 256), seed: int = 0) -> "ScannedSpecimen":
        """Return a specimen to try things on: ``"crystal"``, kesterite at 0.056 nm, or ``"particles"`` at 0.5 nm.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        if kind not in ("crystal", "particles"):
            raise ValueError(f"kind: {kind!r} is neither crystal nor particles")
        specimen = crystal(shape, seed=seed) if kind == "crystal" else particles(shape, seed=seed)
        return cls(specimen, shape, seed=seed)

    @property
    def identity(self) -> str:
        """The same for the same specimen, in any process."""
        parts = (self.scan, self.detector, self.spectrometer, self.damage, self._yields, self._seed, self.shape)
        content = hashlib.sha256(repr(parts).encode())
        content.update(self.projected.positions.tobytes() + self.projected.amounts.tobytes())
        return f"scanned {content.hexdigest()[:16]}"

    @property
    def eds_axis(self) -> EnergyAxis:
        """Energy axis of the EDS spectra."""
        return EDS_AXIS

    @property
    def eels_axis(self) -> EnergyAxis:
        """Energy axis of the EELS spectra."""
        return self.spectrometer.axis

    @property
    def eels_noise(self) -> dict[str, float]:
        """The EELS camera's noise: ``noise_gain``, variance over mean of electrons; ``read_noise``, counts."""
        camera = self.spectrometer.camera
        return {"noise_gain": camera.gain * (1 + camera.gain_spread**2), "read_noise": camera.read_noise}

    def image(self, frame: FrameExposure) -> NDArray[np.float32]:
        """Return the ADF image of a frame, (rows, columns) float32, digital counts."""
        series = self._series(frame, self.scan)
        return series.image(frame.number, self._dose_during(frame, series))

    def events(self, frame: FrameExposure) -> NDArray[np.void]:
        """Return the X-rays of a frame, (n,) structured: row, column, channel, count; ascending by row."""
        series = self._series(frame, self.scan)
        return series.events(frame.number, self._dose_during(frame, series))

    def cube(self, frame: FrameExposure, energy_offset: float = 0.0) -> NDArray[np.float32]:
        """Return the EELS spectra of a frame, (rows, columns, channels) float32, digital counts.

        Parameters
        ----------
        frame : FrameExposure
            The frame.
        energy_offset : float, optional
            By how much the drift tube raises the energy loss of every channel, eV.
        """
        series = self._series(frame, self.scan, energy_offset)
        return series.cube(frame.number, self._dose_during(frame, series))

    def displacement(self, frame: FrameExposure) -> NDArray[np.float64]:
        """Return the truth: what the frame shows at (r, c) lies at (r, c) + displacement, (rows, columns, 2) px."""
        return self.scan.displacement(frame.number, frame.shape)

    def energy_shift(self, frame: FrameExposure) -> NDArray[np.float64]:
        """Return the truth: by how much each spectrum lies too high, (rows, columns) float64, eV."""
        return self.spectrometer.energy_shift(frame.number, frame.shape, self._seed)

    def irradiate(self, frame: FrameExposure, lines: int) -> None:
        """Remember the dose of the first lines of a frame."""
        if lines:
            box, exposing = self._box(frame, lines), self._series(frame, _STILL).exposing
            self._dose[box] += self.damage.effective_dose(exposing, 1.0)

    def dose(self, frame: FrameExposure) -> float:
        """Return the mean effective dose that the place of a frame had before it, e-/A^2."""
        return float(self._dose[self._box(frame, frame.shape[0])].mean())

    def haadf(self, exposure: Exposure) -> float:
        """Return the ADF intensity of a single exposure, digital counts; it finds the specimen still, and leaves it."""
        frame = self._pixel(exposure)
        return float(self._series(frame, _STILL).image(frame.number, self.dose(frame))[0, 0])

    def eds(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return ``{"spectrum": (channels,) uint32 counts, "live_time": s, "real_time": s}`` of a single exposure."""
        frame = self._pixel(exposure)
        events = self._series(frame, _STILL).events(frame.number, self.dose(frame))
        spectrum = np.bincount(events["channel"], events["count"], minlength=EDS_AXIS.channels)
        return {"spectrum": spectrum.astype(np.uint32), "live_time": exposure.dwell, "real_time": exposure.dwell}

    def eels(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return ``{"spectrum": (channels,) float32}`` of a single exposure."""
        frame = self._pixel(exposure)
        return {"spectrum": self._series(frame, _STILL).cube(frame.number, self.dose(frame))[0, 0]}

    def _pixel(self, exposure: Exposure) -> FrameExposure:
        place = (exposure.row, exposure.column)
        return FrameExposure(
            exposure.number, (1, 1), self.pixel_size, place, exposure.start, exposure.dwell, exposure.current
        )

    def _series(self, frame: FrameExposure, scan: ScanDistortion, energy_offset: float = 0.0) -> VirtualSeries:
        """Return the series that a frame is one of, and of which it has the number."""
        electrons = frame.current * frame.dwell * ELECTRONS_PER_PICOCOULOMB
        adf, xrays, eels = (electrons * part for part in self._yields)
        axis = self.spectrometer.axis
        return VirtualSeries(
            self._seen(frame, scan),
            frame.shape,
            scan=scan,
            counts=adf,
            events=xrays * frame.shape[0] * frame.shape[1],
            spectrometer=replace(
                self.spectrometer, electrons=eels, axis=replace(axis, offset=axis.offset + energy_offset)
            ),
            detector=self.detector,
            damage=self.damage,
            current=frame.current,
            dwell=frame.dwell,
            seed=self._seed,
            reference=self._reference,
        )

    def _seen(self, frame: FrameExposure, scan: ScanDistortion) -> ProjectedSpecimen:
        displacement = scan.displacement(frame.number, frame.shape)
        last = np.array(frame.shape) - 1.0
        reach = displacement.min(axis=(0, 1)), last + displacement.max(axis=(0, 1))
        seen = self.projected.window(frame.origin, frame.pixel_size, reach)
        return seen.spread((1 - frame.sub_pixel**-2) / 12) if frame.sub_pixel > 1 else seen

    def _dose_during(self, frame: FrameExposure, series: VirtualSeries) -> float:
        return self.dose(frame) + self.damage.effective_dose(series.exposing, 0.5)

    def _box(self, frame: FrameExposure, lines: int) -> tuple[slice, slice]:
        """Return the pixels of the field under the first lines of a frame."""
        step = frame.pixel_size / self.pixel_size
        first = [max(0, round(place)) for place in frame.origin]
        last = [
            place + step * (number - 1) for place, number in zip(frame.origin, (lines, frame.shape[1]), strict=True)
        ]
        rows, columns = (slice(low, max(low, round(high)) + 1) for low, high in zip(first, last, strict=True))
        return rows, columns

    def _mean_signals(self) -> tuple[float, float]:
        shape = (min(self.shape[0], _SAMPLE), min(self.shape[1], _SAMPLE))
        origin = ((self.shape[0] - shape[0]) / 2, (self.shape[1] - shape[1]) / 2)
        seen = self._seen(FrameExposure(0, shape, self.pixel_size, origin, 0.0, 1.0, 1.0), _STILL)
        return seen.mean_signals(shape)
