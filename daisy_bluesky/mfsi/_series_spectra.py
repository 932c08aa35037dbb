"""Energy-loss spectra of a series: aligned in energy frame by frame, and summed in their order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._camera_noise import CameraNoise, estimated_noise
from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, frame_of_spectra, zero_loss_shift
from daisy_bluesky.mfsi._maps import ElementMap, edge_map
from daisy_bluesky.mfsi._scree import scree_of_spectra
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_image import inside_field
from daisy_bluesky.mfsi._series_information import SHOWN, DoseScree
from daisy_bluesky.mfsi._series_options import EnergyAlignment, SeriesOptions
from daisy_bluesky.mfsi._spectrum_sum_kernels import Box
from daisy_bluesky.spectra import EnergyAxis

MOST_BINS = 256  # of channels, whose components are looked for
Maps = dict[str, ElementMap]


@dataclass(frozen=True)
class AlignEnergies:
    """Reads the spectra of a frame and finds how far they lie off in energy: a pure function of its number.

    Attributes
    ----------
    frames : SeriesFrames
        The series.
    alignment : "zero-loss", (float, float) or None
        What they are aligned on.
    reference : (channels,) float64
        Mean spectrum of the first frame.
    """

    frames: SeriesFrames
    alignment: EnergyAlignment | None
    reference: NDArray[np.float64]

    def __call__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float64]] | str:
        """Return the spectra, (rows, columns, channels), and by how many channels to move each, (rows, columns).

        Or why they cannot be used.
        """
        if self.frames.spectra is None:
            return "no energy-loss spectra"
        try:
            spectra = frame_of_spectra(self.frames.spectra(number))
            return spectra, self._shift(spectra, self.frames.energy_step(number))
        except ValueError as error:
            return str(error)

    def _shift(self, spectra: NDArray[np.float32], step: float) -> NDArray[np.float64]:
        axis = self.frames.eels_axis
        if self.alignment is None or axis is None:
            return np.full(spectra.shape[:2], step)
        if self.alignment == "zero-loss":
            return zero_loss_shift(spectra, channel=-axis.offset / axis.dispersion)
        expected = _moved(self.reference, -step)
        low, high = (round((energy - axis.offset) / axis.dispersion - step) for energy in self.alignment)
        return edge_shift(spectra, expected, window=(low, high)) + step


class SpectraSums:
    """The sums of a series of energy-loss spectra, and what they showed on the way.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    axis : EnergyAxis
        Energies of the first frame's channels, eV.
    options : SeriesOptions
        What is asked for.
    noise : CameraNoise
        That of the spectra as recorded.
    doses : list of int
        Numbers of frames after which the components are looked at.
    early : int
        Number of frames after which a picture of the maps is kept; 0 for none.
    field : tuple of int or None
        What every frame shows: first row, first column, rows and columns of the common frame.

    Attributes
    ----------
    native, total : EelsSum
        The sums on the pixels of a frame, and upsampled; the same one where nothing is upsampled.
    single : dict of str to ElementMap
        Maps of the first frame, on its own pixels.
    screes : list of DoseScree
        Components at the doses.
    early_pictures : dict of str to (rows, columns) float64
        Maps to look at after `early` frames.
    spectra : dict of int to (channels,) float64
        Counts of each frame, all pixels together that show what every frame shows, on the axis of the first.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        axis: EnergyAxis,
        options: SeriesOptions,
        noise: CameraNoise,
        doses: list[int],
        early: int,
        field: Box | None,
    ) -> None:
        area = "frame" if options.area == "full" else options.area
        limit = options.memory_limit
        self.native = EelsSum(shape, axis.channels, area=area, memory_limit=limit)
        self.total = self.native
        if options.upsample > 1:
            self.total = EelsSum(shape, axis.channels, upsample=options.upsample, area=area, memory_limit=limit)
        self.single: Maps = {}
        self.screes: list[DoseScree] = []
        self.spectra: dict[int, NDArray[np.float64]] = {}
        self._axis, self._edges, self._noise = axis, options.edges, noise
        self._doses, self._early, self._backgrounds, self._field = doses, early, options.backgrounds, field
        self.early_pictures: dict[str, NDArray[np.float64]] = {}

    def take(
        self,
        number: int,
        spectra: NDArray[np.float32],
        shift: NDArray[np.float64],
        displacement: NDArray[np.float64],
    ) -> None:
        """Add a frame."""
        for each in {id(each): each for each in (self.native, self.total)}.values():
            each.add(spectra, displacement, frame=number, energy_shift=shift)
        seen = spectra[inside_field(displacement, self._field)].sum(axis=0, dtype=np.float64)
        self.spectra[number] = _moved(seen, float(shift.mean()))
        frames = len(self.native.frames)
        if frames == 1:
            self.single = self.native_maps()
        if frames == self._early:
            self.early_pictures = {name: each.rate for name, each in self.maps().items()}
        if frames in self._doses:
            binned = _binned(self.native.volume(self.native.covered_channels))
            self.screes.append(DoseScree(frames, 1, scree_of_spectra(binned)[:SHOWN], None))

    def maps(self) -> Maps:
        """Return the maps of the upsampled sum."""
        return self._mapped(self.total)

    def native_maps(self) -> Maps:
        """Return the maps of the frames so far on the pixels of one."""
        return self._mapped(self.native)

    def _mapped(self, total: EelsSum) -> Maps:
        noise: dict[str, float] = {"noise_gain": self._noise.gain, "read_noise": self._noise.read_noise}
        return {
            name: edge_map(total, self._axis, onset, fit_window=self._backgrounds.get(name), **noise)
            for name, onset in self._edges.items()
        }


def first_spectra(
    frames: SeriesFrames, numbers: Sequence[int], options: SeriesOptions
) -> tuple[NDArray[np.float64], CameraNoise]:
    """Return the mean spectrum of the first frame that has any, on the axis of the series, and its spectra's noise.

    Raises
    ------
    ValueError
        If no frame has spectra that can be used, naming the first.
    """
    if frames.spectra is None:
        raise ValueError("the series has no energy-loss spectra")
    faults = []
    for number in numbers:
        try:
            spectra = frame_of_spectra(frames.spectra(number))
        except ValueError as error:
            faults.append(f"frame {number}: {error}")
            continue
        noise = estimated_noise(spectra) if options.noise_gain is None else CameraNoise(options.noise_gain)
        return _moved(spectra.mean(axis=(0, 1), dtype=np.float64), frames.energy_step(number)), noise
    raise ValueError(f"no frame has spectra that can be used ({faults[0]})")


def _moved(spectrum: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Return a spectrum, (channels,), that shows in channel k + shift what it showed in channel k."""
    channels = np.arange(len(spectrum), dtype=np.float64)
    return np.asarray(np.interp(channels - shift, channels, spectrum))


def _binned(volume: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return spectra of at most `MOST_BINS` channels."""
    width = -(-volume.shape[2] // MOST_BINS)
    whole = volume.shape[2] // width * width
    return np.asarray(volume[..., :whole].reshape(*volume.shape[:2], -1, width).sum(axis=3, dtype=np.float64))
