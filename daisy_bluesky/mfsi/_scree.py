"""How many components of a growing sum of counted spectra rise above counting noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh, eigvalsh
from scipy.sparse.linalg import eigsh

from daisy_bluesky.mfsi._scree_kernels import grow
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT, require_memory
from daisy_bluesky.mfsi._spectrum_sum_frame import checked_events
from daisy_bluesky.mfsi._spectrum_sum_positions import checked_shape

BINNING = 4
LEAST_COUNTS = 50
DRAWS = 4
SMALL = 16  # channels below which all components are computed
TRACY_WIDOM_TAIL = 4.48  # what its largest eigenvalue exceeds once in a thousand, above its mean


@dataclass(frozen=True)
class Scree:
    """Components of a spectrum image at one dose.

    Attributes
    ----------
    frames : int
        Frames summed.
    counts : int
        Counts in them.
    channels : int
        Channels left after binning, each with enough counts.
    variances : (channels,) float64
        Variance of each component beyond that of counting, in units of it, largest first; the first is the mean.
    noise_edge : float
        What the largest component of noise alone exceeds once in a thousand.
    """

    frames: int
    counts: int
    channels: int
    variances: NDArray[np.float64]
    noise_edge: float

    @property
    def rank(self) -> int:
        """Number of components above the noise."""
        return int(np.sum(self.variances > self.noise_edge))

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Share of each component in the total variance, counting noise included, (channels,) float64."""
        with_noise = np.maximum(self.variances + 1.0, 0.0)
        return np.asarray(with_noise / max(float(with_noise.sum()), 1e-30))


class InformationContent:
    """Scree of a sum of EDS frames, kept up to date while it grows.

    Channels are binned, and those with few counts left out: rare single counts look like components. Channels are
    scaled by their mean counts, so that counting noise has variance 1 in each, and the products of a channel with
    itself count pairs of different photons only, which takes the noise's own variance off. What counting noise can
    reach is found by parallel analysis.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    channels : int
        Channels of a spectrum.
    binning : int, optional
        Channels that are added up.
    least_counts : int, optional
        Counts in all that a binned channel needs to take part.
    memory_limit : int, optional
        Most bytes to take.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    MemoryError
        If the limit would be exceeded.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Results 4 (scree plots against cumulative dose).
    M. R. Keenan, P. G. Kotula, Surf. Interface Anal. 36 (2004) 203 (spectra scaled by their counting noise).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        channels: int,
        *,
        binning: int = BINNING,
        least_counts: int = LEAST_COUNTS,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        if int(binning) != binning or not 1 <= binning <= channels:
            raise ValueError(f"binning is {binning}; it must be a whole number from 1 to {channels} channels")
        if not least_counts >= 1:
            raise ValueError(f"least_counts is {least_counts}; at least 1 is needed")
        self._shape, self._channels, self._binning = checked_shape(shape), int(channels), int(binning)
        self._least = least_counts
        self._bins = -(-self._channels // self._binning)
        pixels = self._shape[0] * self._shape[1]
        require_memory("the scree", 4 * pixels * self._bins + 8 * self._bins**2, memory_limit)
        self._spectra = np.zeros((pixels, self._bins), np.float32)
        self._pairs = np.zeros((self._bins, self._bins))
        self._frames = 0

    def add(self, events: NDArray[np.void], *, frames: int = 1) -> None:
        """Add events of one or more frames.

        Parameters
        ----------
        events : (n,) structured
            Fields ``row``, ``column``, ``channel`` and, where not 1, ``count``, in the common frame.
        frames : int, optional
            How many frames they are the sum of.

        Raises
        ------
        ValueError
            If the events do not fit; nothing is added then.
        """
        exposed = np.broadcast_to(np.int64(1), self._shape)
        rows, columns, numbers, counts = checked_events(events, self._shape, self._channels, exposed)
        pixels = rows * self._shape[1] + columns
        grow(pixels, numbers // self._binning, counts, self._spectra, self._pairs)
        self._frames += frames

    def scree(self) -> Scree:
        """Return the components of the sum so far; none while no channel has enough counts."""
        totals = self._spectra.sum(axis=0, dtype=np.float64)
        kept = np.flatnonzero(totals >= self._least)
        counts = int(totals.sum())
        if not kept.size:
            return Scree(self._frames, counts, 0, np.zeros(0), np.inf)
        pairs = self._pairs[np.ix_(kept, kept)]
        pairs = pairs + pairs.T
        scaled = pairs / np.sqrt(np.outer(totals[kept], totals[kept]))
        variances = np.asarray(eigvalsh(scaled, check_finite=False)[::-1], dtype=np.float64)
        return Scree(self._frames, counts, kept.size, variances, noise_edge(pairs, totals[kept]))


def information_content(total: SpectrumSum, doses: Iterable[int]) -> Sequence[Scree]:
    """Return the scree of the sum of the first frames, for several numbers of frames.

    Parameters
    ----------
    total : SpectrumSum
        Sum of the series, not upsampled: dithered or nearest, so that its counts are Poisson numbers.
    doses : iterable of int
        Numbers of frames, ascending.

    Returns
    -------
    sequence of Scree

    Raises
    ------
    ValueError
        If the doses do not ascend from 1 to the number of frames, or the sum is upsampled or bilinear.
    """
    numbers, wanted = total.frames, list(doses)
    if not wanted or wanted != sorted(set(wanted)) or not 1 <= wanted[0] <= wanted[-1] <= len(numbers):
        raise ValueError(f"doses are {wanted}; they must ascend between 1 and the {len(numbers)} frames of the sum")
    if total.upsample != 1:
        raise ValueError(
            f"the sum is upsampled {total.upsample} times: take the information content of one that is not"
        )
    content, screes, done = InformationContent(total.exposure.shape, total.channels), [], 0
    for dose in wanted:
        content.add(total.events(frames=numbers[done:dose]), frames=dose - done)
        screes.append(content.scree())
        done = dose
    return screes


def noise_edge(pairs: NDArray[np.float64], totals: NDArray[np.float64], *, seed: int = 0) -> float:
    """Return what the largest component of counting noise alone exceeds once in a thousand.

    Pairs of counts are themselves counted, so each varies by its own square root: more where two channels count in the
    same few pixels. Matrices of such noise are drawn, and their largest eigenvalue is what noise can reach.

    Parameters
    ----------
    pairs : (channels, channels) float64
        Pairs of different counts, by their channels.
    totals : (channels,) float64
        Counts of each channel.
    seed : int, optional
        Seed of the drawn matrices.

    Returns
    -------
    float
        In units of the variance of counting.

    References
    ----------
    J. L. Horn, Psychometrika 30 (1965) 179 (parallel analysis); C. A. Tracy, H. Widom, Commun. Math. Phys. 177 (1996)
    727 (how the largest eigenvalue varies); V. A. Marchenko, L. A. Pastur, Math. USSR Sb. 1 (1967) 457 (its excess
    over that of a symmetric random matrix, to second order).
    """
    rng = np.random.default_rng(seed)
    deviation = np.sqrt(pairs / np.outer(totals, totals))
    largest, spread = [], []
    for _ in range(DRAWS):
        drawn = np.triu(rng.normal(size=pairs.shape))
        drawn = deviation * (drawn + drawn.T - np.diag(drawn.diagonal() * (2 - np.sqrt(2))))
        value, vector = _largest(drawn)
        largest.append(value)
        spread.append(3 / float((vector**4).sum()))  # as many channels as noise is spread over
    edge = float(np.mean(largest)) * (1 + TRACY_WIDOM_TAIL / 2 * float(np.mean(spread)) ** (-2 / 3))
    return float(edge + edge**2 / 4)


def _largest(matrix: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the largest eigenvalue and its normalised vector."""
    if len(matrix) < SMALL:
        values, vectors = eigh(matrix)
    else:
        values, vectors = eigsh(matrix, k=1, which="LA", v0=np.ones(len(matrix)), tol=1e-3)
    return float(values[-1]), vectors[:, -1]


def scree_of_spectra(spectra: ArrayLike) -> NDArray[np.float64]:
    """Return the shares of components in the variance of any spectra, without knowing their noise.

    Parameters
    ----------
    spectra : array_like, (..., channels)
        Spectra, such as those of a folded motif or of EELS.

    Returns
    -------
    (channels,) float64
        Shares, largest first; of a principal component analysis with the mean taken off.
    """
    flat = np.asarray(spectra, dtype=np.float64)
    flat = flat.reshape(-1, flat.shape[-1])
    level = flat - flat.mean(axis=0)
    variances = np.maximum(eigvalsh(level.T @ level)[::-1], 0.0)
    return np.asarray(variances / max(float(variances.sum()), 1e-30))
