"""How much more than counting electrons a camera scatters, from the spectra themselves."""

import numpy as np
from numpy.typing import ArrayLike

from daisy_bluesky.mfsi._eels_sum_energy import frame_of_spectra

SECOND_DIFFERENCE = 6.0  # variance of a second difference of independent values, over theirs


def estimated_noise_gain(spectra: ArrayLike) -> float:
    """Return the variance of a channel over its mean, from how neighbouring channels of single spectra scatter.

    Second differences along the energy axis leave smooth spectra out; the median over channels leaves sharp peaks out.
    Read noise is in it, as it is at the mean level of the spectra.

    Parameters
    ----------
    spectra : array_like, (rows, columns, channels)
        One frame as recorded.

    Returns
    -------
    float
        1 for counted electrons; 1 also where the spectra hold nothing.

    Raises
    ------
    ValueError
        If the spectra are not one frame of finite values.
    """
    flat = frame_of_spectra(spectra).reshape(-1, np.shape(spectra)[2])
    ratios = []
    for part in np.array_split(np.arange(1, flat.shape[1] - 1), max(1, flat.shape[1] // 64)):
        values = flat[:, part[0] - 1 : part[-1] + 2].astype(np.float64)
        squares = np.square(values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]).mean(axis=0) / SECOND_DIFFERENCE
        means = values[:, 1:-1].mean(axis=0)
        ratios.append(squares[means > 0] / means[means > 0])
    found = np.concatenate(ratios)
    return float(np.median(found)) if found.size and np.median(found) > 0 else 1.0
