"""The picture of a rehearsal."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling import Rehearsal


def draw_rehearsal(
    path: str | Path,
    rehearsal: Rehearsal,
    phase_map: NDArray[np.integer],
    *,
    current: float,
    survey: NDArray[np.floating] | None = None,
    conclusion: str = "",
) -> Path:
    """Draw what maps will be worth against time and electrons, 16:9 and 3840 x 2160 pixels.

    Parameters
    ----------
    path : path-like
        Where to write the PNG.
    rehearsal : Rehearsal
        What was rehearsed.
    phase_map : (rows, columns) ndarray of int
        What was taken for the truth.
    current : float
        Beam current, pA.
    survey : (rows, columns) ndarray, optional
        The survey image it was guessed from.
    conclusion : str
        A line at the foot of the picture.

    Returns
    -------
    Path
        The picture.
    """
    from daisy_bluesky.report._rehearsal_figure import compose_rehearsal

    figure = compose_rehearsal(rehearsal, phase_map, current=current, survey=survey, conclusion=conclusion)
    figure.savefig(path, dpi=figure.dpi, metadata={"Title": "Rehearsal", "Software": "daisy-bluesky"})
    return Path(path)
