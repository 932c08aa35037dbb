"""One slow frame against several fast ones of the same total dose: what the sample keeps, and what reading costs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.mfsi import EelsSum, SeriesDose, edge_map, register
from daisy_bluesky.specimen import (
    Damage,
    DamageDriver,
    DriftingSpectrometer,
    EELSCamera,
    Exposing,
    ProjectedSpecimen,
    ScanDistortion,
    VirtualSeries,
    crystal,
)
from daisy_bluesky.spectra import EnergyAxis

SEEDS = range(5)
FRAMES = 5
MANY, MANY_SEEDS = 25, range(2)
SHAPE, PIXEL_SIZE = (70, 70), 0.04  # nm
CURRENT, DWELL = 74.0, 0.010  # pA and s of the slow frame: 4.62e6 electrons a pixel, as in the paper
COLLECTED = 0.02  # of the electrons, by spectrometer and camera
READ_NOISE = 8.0  # digital counts a channel and read-out, at 10 counts an electron
LIFETIMES = 4.0  # total dose in doses after which 1/e of the edge is left, exposed as the slow frame is
ADF_COUNTS = 500.0  # a pixel of the slow frame
AXIS = EnergyAxis(300.0, 1.0, 200, "eV")
ONSET, WINDOW, FIT = 400.0, 60.0, (330.0, 396.0)  # eV, Sc L
CELL = (0.40, 0.40)
MOTIF = (("Pb", 0.0, 0.0), ("Sc", 0.5, 0.5), ("O", 0.0, 0.5), ("O", 0.5, 0.0))
BRIGHTNESS = {"Pb": 1.0, "Sc": 0.3, "O": 0.08}
RADIUS = 3.0  # px around a column
DRIVERS = {
    DamageDriver.DOSE: "the dose alone",
    DamageDriver.DOSE_RATE: "the dose rate",
    DamageDriver.PIXEL_CHARGE: "the pixel charge",
}
WANTED = {DamageDriver.DOSE: False, DamageDriver.DOSE_RATE: False, DamageDriver.PIXEL_CHARGE: True}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A series of a number of frames that share the dose of the slow one, under one model of damage."""

    frames: int
    driver: DamageDriver
    seed: int

    @property
    def dose(self) -> SeriesDose:
        """Dwell time, doses and pixel charge."""
        return SeriesDose(CURRENT, DWELL, SHAPE, PIXEL_SIZE).fractionated(self.frames)

    def surviving(self, frame: int) -> float:
        """Return the part of the edge that is left, averaged over the time a frame exposes a pixel."""
        slow = _exposing(SeriesDose(CURRENT, DWELL, SHAPE, PIXEL_SIZE))
        reference = {
            DamageDriver.DOSE: 1.0,
            DamageDriver.DOSE_RATE: slow.dose_rate,
            DamageDriver.PIXEL_CHARGE: slow.pixel_charge,
        }
        damage = Damage(fading={"Sc": slow.dose / LIFETIMES}, driver=self.driver, reference=reference[self.driver])
        moments = (np.arange(32) + 0.5) / 32
        doses = [damage.effective_dose(_exposing(self.dose), frame + moment) for moment in moments]
        return float(np.mean([damage.edge_strength(("Sc",), dose)[0] for dose in doses]))

    def signal_to_noise(self) -> float:
        """Acquire, register, sum and map the series; return the signal over noise of a column in the Sc L map."""
        specimen = _perovskite()
        scan = ScanDistortion(drift=(0.5 / self.frames, 0.3 / self.frames), walk=0.1, seed=self.seed)
        images = VirtualSeries(specimen, SHAPE, scan=scan, counts=ADF_COUNTS / self.frames, seed=self.seed)
        still = np.zeros((*SHAPE, 2))
        displacements = [still]
        if self.frames > 1:
            registration = register([images.image(frame) for frame in range(self.frames)])
            displacements = [registration.displacement(frame) for frame in range(self.frames)]
        cubes = [self._cubes(specimen, images.displacement(frame), frame) for frame in range(self.frames)]
        away = np.mean([images.displacement(frame) for frame in range(self.frames)], axis=(0, 1, 2))
        maps = [_edge(pair, displacements) for pair in zip(*cubes, strict=True)]
        return column_signal_to_noise(maps[0], maps[1], specimen.positions[specimen.amounts[:, 1] > 0] - away)

    def _cubes(self, specimen: ProjectedSpecimen, displacement: Array, frame: int) -> list[NDArray[np.float32]]:
        """Return the spectra of a frame twice, with noise of its own each."""
        maps = [specimen.image(displacement, weights=amount, support=0.0) for amount in specimen.amounts.T]
        amounts = np.stack(maps, axis=-1) / np.sum(maps, axis=0).mean()
        amounts[..., specimen.elements.index("Sc")] *= self.surviving(frame)
        spectrometer = DriftingSpectrometer(
            AXIS, electrons=COLLECTED * self.dose.pixel_charge, camera=EELSCamera(read_noise=READ_NOISE)
        )
        rng = np.random.default_rng([self.seed, self.frames, frame])
        return [spectrometer.cube(amounts, specimen.elements, np.zeros(SHAPE), rng) for _ in range(2)]


def measure(_data: Path) -> Iterator[Gate]:
    """Compare one slow frame with fast ones, under each model of damage."""
    dose = SeriesDose(CURRENT, DWELL, SHAPE, PIXEL_SIZE)
    for driver, what in DRIVERS.items():
        slow, fast = (_median(frames, driver, SEEDS) for frames in (1, FRAMES))
        many = _median(MANY, driver, MANY_SEEDS)
        pays = fast > slow
        yield Gate(
            f"1 slow frame against {FRAMES} fast ones at {dose.total_dose:.2g} e-/A^2, read noise on, harm by {what}: "
            f"signal over noise of a Sc column, medians of {len(SEEDS)} seeds",
            f"{slow:.1f} -> {fast:.1f}: {'pays' if pays else 'does not pay'}",
            "shown",
            pays == WANTED[driver],
            f"edge left {_left(1, driver):.0%} -> {_left(FRAMES, driver):.0%}; {MANY} frames {many:.1f} with "
            f"{_left(MANY, driver):.0%} left; the paper's SNR 2.1 -> 5.1",
            {"slow": slow, "fast": fast, "many": many},
        )


def column_signal_to_noise(one: Array, other: Array, columns: Array) -> float:
    """Return by how much columns stand out of a map, over the noise of a column.

    Parameters
    ----------
    one, other : (rows, columns) float64
        Maps of an element that differ by their noise alone.
    columns : (n, 2) float64
        Where its columns are, px; those in mid-map count.
    """
    margin = 2 * RADIUS
    inside = ((columns > margin) & (columns < np.array(one.shape) - 1 - margin)).all(axis=1)
    pixels = np.moveaxis(np.indices(one.shape), 0, -1)
    apart = np.linalg.norm(pixels[None] - columns[inside, None, None], axis=-1)
    near = np.array([[net[distance < RADIUS].mean() for distance in apart] for net in (one, other)])
    between = np.mean([net[apart.min(axis=0) > RADIUS].mean() for net in (one, other)])
    return float((near.mean() - between) / (np.std(near[0] - near[1]) / np.sqrt(2)))


def _edge(cubes: tuple[NDArray[np.float32], ...], displacements: list[Array]) -> Array:
    total = EelsSum(SHAPE, AXIS.channels)
    for cube, displacement in zip(cubes, displacements, strict=True):
        total.add(cube, displacement)
    return np.nan_to_num(edge_map(total, AXIS, ONSET, WINDOW, FIT).rate)


def _median(frames: int, driver: DamageDriver, seeds: range) -> float:
    return float(np.median([Series(frames, driver, seed).signal_to_noise() for seed in seeds]))


def _left(frames: int, driver: DamageDriver) -> float:
    series = Series(frames, driver, 0)
    return float(np.mean([series.surviving(frame) for frame in range(frames)]))


def _exposing(dose: SeriesDose) -> Exposing:
    return Exposing(dose.dose_per_frame, dose.dose_rate, dose.pixel_charge)


def _perovskite() -> ProjectedSpecimen:
    specimen = crystal(SHAPE, pixel_size=PIXEL_SIZE, cell=CELL, motif=MOTIF)
    return replace(specimen, brightness=specimen.amounts @ np.array([BRIGHTNESS[name] for name in specimen.elements]))
