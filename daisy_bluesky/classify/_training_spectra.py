"""Training spectra at any number of counts."""

import numpy as np

from daisy_bluesky.classify._counts import Floats, Integers, Spectra
from daisy_bluesky.classify._likelihood import phase_sums, smoothed_means

LEAST_COUNTS = 20.0
MOST_COUNTS = 10_000.0
LEVELS = 9


class TrainingSpectra:
    """Measured spectra of the phases, from which shorter and longer exposures are drawn.

    Fewer than half of a spectrum's counts come from thinning it binomially, which is exact and keeps what varies from
    one measurement to the next; more come as Poisson counts of its phase's smoothed mean.

    Parameters
    ----------
    spectra : (n, channels) ndarray of uint32
        Counts.
    labels : (n,) ndarray of int
        Phases, 1..L.
    phases : int
        L.
    """

    def __init__(self, spectra: Spectra, labels: Integers, phases: int) -> None:
        self.spectra, self.labels, self.phases = spectra, labels, phases
        self.totals = spectra.sum(1, dtype=np.float64)
        self.means = smoothed_means(phase_sums(spectra, labels, phases))
        self._members = [np.flatnonzero((labels == label) & (self.totals > 0)) for label in range(1, phases + 1)]

    def halves(self, rng: np.random.Generator) -> tuple["TrainingSpectra", "TrainingSpectra"]:
        """Return two independent halves: every other spectrum of each phase, or half the counts of an only one."""
        order = np.argsort(self.labels, kind="stable")
        turn = np.zeros(len(order), bool)
        turn[order] = np.arange(len(order)) % 2 == 0
        first, second = self.spectra * turn[:, None], self.spectra * ~turn[:, None]
        for members in self._members:
            if len(members) == 1:
                whole = self.spectra[members[0]]
                first[members[0]] = rng.binomial(whole, 0.5)
                second[members[0]] = whole - first[members[0]]
        return (
            TrainingSpectra(first.astype(np.uint32), self.labels, self.phases),
            TrainingSpectra(second.astype(np.uint32), self.labels, self.phases),
        )

    def levels(self) -> Floats:
        """Return the total counts at which to calibrate, in geometric steps, (levels,)."""
        return np.geomspace(LEAST_COUNTS, max(MOST_COUNTS, 2 * float(self.totals.max())), LEVELS)

    def draw(self, counts: Floats, rng: np.random.Generator, *, shift: int = 0) -> tuple[Spectra, Integers]:
        """Return spectra (n, channels) uint32 with about `counts` (n,) counts, and labels (n,).

        Phases take turns two by two, from the phase after `shift` others on.
        """
        labels = 1 + (np.arange(len(counts)) // 2 + shift) % self.phases
        places = rng.uniform(size=len(counts))
        chosen = np.empty(len(counts), np.int64)
        for label, members in enumerate(self._members, start=1):
            turn = labels == label
            chosen[turn] = members[(places[turn] * len(members)).astype(np.int64)]
        share = counts / self.totals[chosen]
        drawn = np.empty((len(counts), self.spectra.shape[1]), np.uint32)
        short = share <= 0.5
        drawn[short] = rng.binomial(self.spectra[chosen[short]].astype(np.int64), share[short, None])
        drawn[~short] = rng.poisson(counts[~short, None] * self.means[labels[~short] - 1])
        return drawn, labels

    def draw_seen(self, counts: Floats, rng: np.random.Generator) -> Spectra:
        """Return spectra (n, channels) uint32 as a probe sees them: every other one on a boundary of two phases."""
        shares = np.where(np.arange(len(counts)) % 2, rng.uniform(size=len(counts)), 1.0)
        first, _ = self.draw(counts * shares, rng)
        second, _ = self.draw(counts * (1.0 - shares), rng, shift=int(rng.integers(1, max(self.phases, 2))))
        return first + second

    def binned(self, bin_of: Integers, bins: int) -> "TrainingSpectra":
        """Return the same spectra and means summed over bins; `bin_of` (channels,) names each channel's."""
        starts = np.searchsorted(bin_of, np.arange(bins))
        coarse = TrainingSpectra.__new__(TrainingSpectra)
        coarse.labels, coarse.phases, coarse.totals = self.labels, self.phases, self.totals
        coarse.spectra = np.add.reduceat(self.spectra, starts, axis=1, dtype=np.int64)
        coarse.means = np.add.reduceat(self.means, starts, axis=1)
        coarse._members = self._members
        return coarse
