"""Information content of a series against its dose, whatever its spectra are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._scree import Scree

SHOWN = 32  # components that are kept


@dataclass(frozen=True)
class DoseScree:
    """Components of the sum of some frames.

    Attributes
    ----------
    frames : int
        Frames summed.
    repeats : int
        Repeats of a motif laid upon each other; 1 for the field.
    fractions : (components,) float64
        Share of each of the first components in the variance, largest first.
    rank : int or None
        Components above counting noise; None where the noise is not known.
    """

    frames: int
    repeats: int
    fractions: NDArray[np.float64]
    rank: int | None

    @classmethod
    def of(cls, scree: Scree, repeats: int = 1) -> "DoseScree":
        """Return what a scree of counted spectra says."""
        return cls(scree.frames, repeats, scree.fractions[:SHOWN], scree.rank)


def doses_shown(frames: int) -> list[int]:
    """Return the numbers of frames after which the information content is looked at: squares, and all of them.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Results 4: 1, 4, 9, ... 196 and 230 frames.
    """
    squares = [n * n for n in range(1, frames + 1) if n * n < frames]
    return [*squares, frames]
