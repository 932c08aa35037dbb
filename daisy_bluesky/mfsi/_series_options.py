"""What is to be made of a series."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from daisy_bluesky.mfsi._spectrum_sum import Assignment
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT, Area
from daisy_bluesky.mfsi._spectrum_sum_positions import checked_upsample

EnergyAlignment = Literal["zero-loss"] | tuple[float, float]
MotifChoice = Literal["found"] | tuple[int, int, int, int]


@dataclass(frozen=True)
class SeriesOptions:
    """What `process_series` is to do.

    Attributes
    ----------
    rigid : bool
        Move whole frames only, and leave the distortion inside them as it is.
    upsample : int
        Output pixels per pixel along each axis, 1 to 8, chosen before anything is moved.
    area : {"frame", "common", "full"}
        Field of the result: that of the common frame, what every frame shows, or (EDS only) what any frame shows.
    assignment : {"dithered", "nearest", "bilinear"}
        Which output pixel counts a photon, see `SpectrumSum`.
    lines : mapping of str to float
        Characteristic lines to map, keV.
    edges : mapping of str to float
        Onsets of the core-loss edges to map, eV.
    backgrounds : mapping of str to (float, float)
        Energies, eV, between which the background of an edge is fitted, where others lie right before it.
    energy_alignment : "zero-loss", (float, float) or None
        On what energy-loss spectra are aligned before they are moved: the zero-loss peak, or what stands out between
        two energies, eV; nothing but the drift tube's steps when None.
    noise_gain : float or None
        Variance over mean of energy-loss spectra as recorded, without read noise; both are estimated from the first
        frame when None.
    motif : "found", (int, int, int, int) or None
        The motif whose repeats are folded: looked for, or first row, first column, rows and columns, pixels of the
        frame; none when None.
    information : bool
        Whether the information content is followed with the dose.
    seed : int
        Seed of the dithering.
    memory_limit : int
        Most bytes that the sums may take.

    Raises
    ------
    ValueError
        If `upsample` is not a whole number from 1 to 8, or the limit or the gain are not positive.
    """

    rigid: bool = False
    upsample: int = 1
    area: Area = "frame"
    assignment: Assignment = "dithered"
    lines: Mapping[str, float] = field(default_factory=dict)
    edges: Mapping[str, float] = field(default_factory=dict)
    backgrounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    energy_alignment: EnergyAlignment | None = None
    noise_gain: float | None = None
    motif: MotifChoice | None = None
    information: bool = True
    seed: int = 0
    memory_limit: int = MEMORY_LIMIT

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        checked_upsample(self.upsample)
        if self.noise_gain is not None and not self.noise_gain > 0:
            raise ValueError(f"noise_gain is {self.noise_gain}, but must be positive")
        if not self.memory_limit > 0:
            raise ValueError(f"memory_limit is {self.memory_limit} bytes, but must be positive")
