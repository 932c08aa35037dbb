"""Whether a series will show the columns of an element, from its counts and their spacing."""

from dataclasses import dataclass
from math import ceil, exp, inf, pi, sqrt
from typing import Literal

ROSE = 5.0  # signal over noise at which an eye is sure
GUESS = 2.0  # and at which it may guess
PROBE_WIDTH = 0.2  # nm, full width at half maximum of a column: probe, delocalisation and channelling together
SIGMAS = 2.3548  # in a full width at half maximum


@dataclass(frozen=True)
class ColumnPrediction:
    """How clearly a map shows atomic columns.

    The counts of a column are those of a square of its spacing. A column blurred to a Gaussian leaves of the
    map's first harmonic the part ``exp(-2 (pi sigma / spacing)^2)``: that contrast times the square root of the counts
    is the signal over noise of one column.

    Attributes
    ----------
    counts_per_nm2 : float
        Characteristic counts of the element per square nanometre of the map, background subtracted.
    spacing : float
        Shortest projected distance between its columns, nm.
    width : float
        Full width at half maximum of a column in the map, nm.

    Raises
    ------
    ValueError
        If a number is not positive.

    References
    ----------
    S. Wenner, L. Jones, C. D. Marioara, R. Holmestad, Micron 96 (2017) 103.
    Jones et al., Microscopy 67 (2018) i98, Appendix, Table 1 and Figure A1.
    A. Rose, J. Opt. Soc. Am. 38 (1948) 196.
    """

    counts_per_nm2: float
    spacing: float
    width: float = PROBE_WIDTH

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not (self.counts_per_nm2 >= 0 and self.spacing > 0 and self.width > 0):
            raise ValueError(f"{self}: counts must be 0 or more, spacing and width positive")

    @property
    def contrast(self) -> float:
        """Part of the columns' contrast that their blur leaves, from 0 to 1."""
        return exp(-2 * (pi * self.width / SIGMAS / self.spacing) ** 2)

    @property
    def signal_to_noise(self) -> float:
        """Signal over noise of one column."""
        return self.contrast * sqrt(self.counts_per_nm2 * self.spacing**2)

    @property
    def verdict(self) -> Literal["not resolved", "marginal", "resolved"]:
        """What an eye will make of the map."""
        if self.signal_to_noise >= ROSE:
            return "resolved"
        return "marginal" if self.signal_to_noise >= GUESS else "not resolved"

    def times_needed(self) -> float:
        """Return how many times these counts resolve the columns; more frames, or repeats to fold, give them."""
        return (ROSE / self.signal_to_noise) ** 2 if self.signal_to_noise > 0 else inf

    def repeated(self, times: float) -> "ColumnPrediction":
        """Return the prediction for a number of such frames, repeats, or both multiplied."""
        return ColumnPrediction(self.counts_per_nm2 * times, self.spacing, self.width)


def counts_per_nm2(counts: float, pixels: int, pixel_size: float) -> float:
    """Return the counts per square nanometre of a map with so many counts in so many pixels of a size in nm."""
    if not (pixels > 0 and pixel_size > 0):
        raise ValueError(f"pixels {pixels} and pixel_size {pixel_size} nm must be positive")
    return counts / (pixels * pixel_size**2)


def frames_needed(one_frame: ColumnPrediction) -> int:
    """Return how many frames like one resolve the columns.

    Raises
    ------
    ValueError
        If the frame has no counts.
    """
    times = one_frame.times_needed()
    if times == inf:
        raise ValueError("a frame without counts resolves nothing however often it is repeated")
    return ceil(times)
