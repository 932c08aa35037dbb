"""Series of fast frames of one specimen, with everything that goes wrong in them and the truth about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._fast_electron import ELECTRONS_PER_PICOCOULOMB
from daisy_bluesky.specimen._frame_damage import Damage, Exposing
from daisy_bluesky.specimen._frame_detector import ScanDetector
from daisy_bluesky.specimen._frame_scan import ScanDistortion
from daisy_bluesky.specimen._frame_specimen import ProjectedSpecimen
from daisy_bluesky.specimen._frame_spectra import DriftingSpectrometer, draw_events


@dataclass(frozen=True)
class VirtualFrame:
    """One frame of a series.

    Attributes
    ----------
    image : (rows, columns) float32
        The ADF image, digital counts.
    events : (n,) structured or None
        X-rays: row, column, channel, count; None where none are recorded.
    cube : (rows, columns, channels) float32 or None
        EELS spectra, digital counts; None where none are recorded.
    """

    image: NDArray[np.float32]
    events: NDArray[np.void] | None
    cube: NDArray[np.float32] | None


class VirtualSeries:
    """Frames of a projected specimen, in any order and as often as asked: they depend on seed and number only.

    Parameters
    ----------
    specimen : ProjectedSpecimen
        What is looked at.
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    scan : ScanDistortion, optional
        How the scan goes wrong.
    counts : float, optional
        Mean detected ADF electrons per pixel of the undamaged specimen.
    events : float, optional
        Mean X-rays per frame of the undamaged specimen; 0 for none.
    spectrometer : DriftingSpectrometer, optional
        Records a cube of EELS spectra with each frame.
    detector : ScanDetector, optional
        The ADF detector.
    damage : Damage, optional
        What the beam does to the specimen.
    current : float, optional
        Beam current, pA.
    dwell : float, optional
        Dwell time, s.
    seed : int, optional
        Seed of the noise.
    reference : tuple of float, optional
        Mean brightness and mean X-ray emission of a pixel that `counts` and `events` stand for, relative; those of this
        field when not given.

    Raises
    ------
    ValueError
        If the counts or the current or the dwell time are not positive.
    """

    def __init__(
        self,
        specimen: ProjectedSpecimen,
        shape: tuple[int, int],
        *,
        scan: ScanDistortion | None = None,
        counts: float = 100.0,
        events: float = 0.0,
        spectrometer: DriftingSpectrometer | None = None,
        detector: ScanDetector | None = None,
        damage: Damage | None = None,
        current: float = 17.0,
        dwell: float = 0.001,
        seed: int = 0,
        reference: tuple[float, float] | None = None,
    ) -> None:
        if not (min(counts, current, dwell) > 0 and events >= 0):
            raise ValueError("a series of frames needs counts, a beam current and a dwell time above zero")
        self.specimen = specimen
        self.shape = shape
        self.scan = scan if scan is not None else ScanDistortion(seed=seed)
        self.detector = detector if detector is not None else ScanDetector()
        self.damage = damage if damage is not None else Damage()
        self.spectrometer = spectrometer
        self._events = events
        self._seed = seed
        self.exposing = _exposing(current, dwell, shape, specimen.pixel_size)
        brightness, self._emission = specimen.mean_signals(shape) if reference is None else reference
        self._scale = counts / brightness
        self._xray_scale = events / (self._emission * shape[0] * shape[1]) if events else 0.0

    def displacement(self, frame: int) -> NDArray[np.float64]:
        """Return the truth: what the frame shows at (r, c) lies at (r, c) + displacement, (rows, columns, 2) px."""
        return self.scan.displacement(frame, self.shape)

    def expected_image(self, frame: int, dose: float | None = None) -> NDArray[np.float64]:
        """Return the ADF image of a frame without noise, (rows, columns) float64, detected electrons.

        The effective dose of the specimen by then, e-/A^2, is that of the frames before it where none is given; so it
        is for all that a frame records.
        """
        dose = self._dose(frame) if dose is None else dose
        amounts = self.specimen.amounts
        left = amounts @ self.damage.remaining(self.specimen.elements, dose) / amounts.sum(axis=1)
        return self._scale * self.specimen.image(
            self.displacement(frame),
            weights=self.specimen.brightness * left,
            support=self.specimen.support + 0.05 * self.damage.carbon(dose),
        )

    def image(self, frame: int, dose: float | None = None) -> NDArray[np.float32]:
        """Return the ADF image of a frame, (rows, columns) float32, digital counts."""
        return self.detector.read(self.expected_image(frame, dose), self._rng(frame, 0))

    def events(self, frame: int, dose: float | None = None) -> NDArray[np.void]:
        """Return the X-rays of a frame, (n,) structured: row, column, channel, count.

        Raises
        ------
        ValueError
            If the series records no X-rays.
        """
        if not self._events:
            raise ValueError("this series records no X-rays: give it a number of events per frame")
        dose = self._dose(frame) if dose is None else dose
        rates = self._xray_scale * self._rates(self.displacement(frame), dose)
        return draw_events(rates, (*self.specimen.elements, "C"), self._rng(frame, 1))

    def cube(self, frame: int, dose: float | None = None) -> NDArray[np.float32]:
        """Return the EELS spectra of a frame, (rows, columns, channels) float32, digital counts.

        Raises
        ------
        ValueError
            If the series has no spectrometer.
        """
        if self.spectrometer is None:
            raise ValueError("this series records no EELS spectra: give it a spectrometer")
        dose = self._dose(frame) if dose is None else dose
        maps = self._rates(self.displacement(frame), dose)
        amounts = np.moveaxis(maps, 0, -1) / self._emission
        elements = (*self.specimen.elements, "C")
        amounts = amounts * self.damage.edge_strength(elements, dose)
        return self.spectrometer.cube(amounts, elements, self.energy_shift(frame), self._rng(frame, 2))

    def energy_shift(self, frame: int) -> NDArray[np.float64]:
        """Return the truth of the energy offset, (rows, columns) float64, eV; zero where there is no spectrometer."""
        if self.spectrometer is None:
            return np.zeros(self.shape)
        return self.spectrometer.energy_shift(frame, self.shape, self._seed)

    def frame(self, frame: int, dose: float | None = None) -> VirtualFrame:
        """Return all that one frame records."""
        return VirtualFrame(
            self.image(frame, dose),
            self.events(frame, dose) if self._events else None,
            self.cube(frame, dose) if self.spectrometer is not None else None,
        )

    def _rates(self, displacement: NDArray[np.float64], dose: float) -> NDArray[np.float64]:
        """Return how much of each element, carbon last, lies under the probe, (elements + 1, rows, columns)."""
        left = self.damage.remaining(self.specimen.elements, dose)
        maps = [part * emission for part, emission in zip(left, self.specimen.emission(displacement), strict=True)]
        maps.append(np.full(self.shape, self.specimen.support + self.damage.carbon(dose)))
        return np.array(maps)

    def _dose(self, frame: int) -> float:
        """Return the effective dose of the specimen when the frame is half done, e-/A^2."""
        return self.damage.effective_dose(self.exposing, frame + 0.5)

    def _rng(self, frame: int, use: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=self._seed, counter=[0, frame, use, 1]))


def _exposing(current: float, dwell: float, shape: tuple[int, int], pixel_size: float) -> Exposing:
    charge = current * dwell * ELECTRONS_PER_PICOCOULOMB
    dose = charge / (10 * pixel_size) ** 2
    return Exposing(dose, dose / (shape[0] * shape[1] * dwell), charge)
