"""Phases of spectra of a few counts each, which tell something only where many of them are pooled."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

from daisy_bluesky.classify._counts import Floats, Integers, Spectra, as_spectra, bin_counts, total_counts
from daisy_bluesky.classify._phase_bank import NO_FIT, PhaseBank
from daisy_bluesky.classify._phase_classifier import PhaseClassifier
from daisy_bluesky.classify._phase_scan import Scan, scan
from daisy_bluesky.classify._spectrum_store import SpectrumStore
from daisy_bluesky.classify._unknown_phases import MODEL_ERROR
from daisy_bluesky.classify._warm_up import compile_kernels

GONE = -1
FIRST_REVIEW = 300.0  # counts
REVIEW_GROWTH = 1.4
LARGEST_SIDE = 256  # cells
ASSESSED_FROM = 50.0  # counts of a pixel, and each time they have doubled
LOOKS = 8  # alarming squares looked at closely in one review
SUSPECTS = 64  # squares of largest doubt to which dose is drawn
REFINEMENTS = 3
MOST_PHASES = 20


class PooledLabeller:
    """Labels visits of a few counts by all that was counted at their pixel, and discovers phases from neighbourhoods.

    Whenever the number of counts has grown enough, squares of 3 to 17 pixels are compared with the known phases and
    all forms of ill spectra. Where a mean spectrum of its own explains a square better, by more nats than chance
    allows in so many squares, it becomes a phase, and every visit so far is weighed against it, too. The same sequence
    of spectra gives the same labels.

    Parameters
    ----------
    classifier : PhaseClassifier
        The phases known beforehand.
    shape : tuple of int
        Size of the field, (rows, columns), pixels.
    """

    def __init__(self, classifier: PhaseClassifier, shape: tuple[int, int]) -> None:
        compile_kernels()
        self.channels = classifier.channels
        self.shape = (int(shape[0]), int(shape[1]))
        self._bank = PhaseBank(classifier, self.channels)
        self._store = SpectrumStore(self.channels)
        self._numbers: dict[int, int] = {}
        self._pixel = np.full(1024, GONE, np.int64)
        self._block = -(-max(self.shape) // LARGEST_SIDE)
        cells = tuple(-(-side // self._block) for side in self.shape)
        self._sums = np.zeros((*cells, self._bank.bins), np.float32)
        pixels = self.shape[0] * self.shape[1]
        self._evidence = np.zeros((pixels, len(self._bank.phases)))
        self._totals, self._assessed = np.zeros(pixels), np.full(pixels, ASSESSED_FROM)
        self._verdict = np.ones(pixels, np.int64)  # 0 ill, -1 fits nothing, 1 one of the phases
        self._mine: dict[int, NDArray[np.bool_]] = {}
        self._counted, self._next_review = 0.0, FIRST_REVIEW
        self._stake: Floats | None = None
        self._renewed = False

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases 1..L; phases discovered in the run come last."""
        return tuple(self._bank.phases)

    def take(self, visits: Sequence[int], pixels: ArrayLike, spectra: ArrayLike) -> NDArray[np.int64]:
        """Take in visits and return what their pixels are taken for by now.

        Parameters
        ----------
        visits : sequence of int
            Identify the visits; one seen before is replaced.
        pixels : (n, 2) int
            Where they were, (row, column).
        spectra : (n, channels) array_like
            Counts.

        Returns
        -------
        (n,) int64
            0 ill or nothing counted, 1..L a phase, -1 a phase that is not known yet.

        Raises
        ------
        ValueError
            When numbers do not match, spectra have another number of channels, or a pixel lies outside the field;
            then nothing has been taken in.
        """
        counts = as_spectra(spectra, self.channels)
        places = np.asarray(pixels, np.int64).reshape(-1, 2)
        if not len(visits) == len(places) == len(counts):
            raise ValueError(f"{len(visits)} visits, {len(places)} pixels and {len(counts)} spectra: give one each")
        if len(places) and (places.min() < 0 or (places >= np.array(self.shape)).any()):
            raise ValueError(f"pixels must lie inside the field of {self.shape[0]} x {self.shape[1]} pixels")
        flat_places = places[:, 0] * self.shape[1] + places[:, 1]
        for visit in visits:
            if visit in self._numbers:
                self._forget(self._numbers[visit])
        self._keep(visits, flat_places, counts)
        self._add(flat_places, counts, 1.0)
        if self._counted >= self._next_review:
            self._next_review = REVIEW_GROWTH * self._counted
            self._review()
        for pixel in np.unique(flat_places[self._totals[flat_places] >= self._assessed[flat_places]]).tolist():
            self._assess(pixel)
        return self._found(flat_places)

    def _found(self, pixels: Integers) -> Integers:
        labels = 1 + self._evidence[pixels].argmax(axis=1)
        labels = np.where(self._verdict[pixels] == 1, labels, self._verdict[pixels])
        return np.where(self._totals[pixels] > 0, labels, 0)

    @property
    def labels(self) -> dict[int, int]:
        """What the pixel of every visit is taken for by now, by visit."""
        found = self._found(self._pixel[np.array(list(self._numbers.values()), np.int64)])
        return dict(zip(self._numbers, found.tolist(), strict=True))

    def failed(self, pixels: ArrayLike) -> NDArray[np.bool_]:
        """Tell at which pixels, (n, 2), the spectra are ill, (n,) bool; where nothing was counted they are not."""
        rows, columns = np.asarray(pixels, np.int64).T
        return np.asarray(self._verdict[rows * self.shape[1] + columns] == 0)

    def log_likelihood(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return the log-likelihood of each phase known now, (n, phases), nats, up to a term all phases share."""
        return np.asarray(self._bank.log_likelihood(as_spectra(spectra, self.channels)), np.float64)

    def renewed(self) -> tuple[list[int], NDArray[np.float64]] | None:
        """Return visits that have not failed and their log-likelihoods, (n, phases), if changed since last asked."""
        if not self._renewed:
            return None
        self._renewed = False
        visits = [visit for visit, number in self._numbers.items() if self._verdict[self._pixel[number]] != 0]
        numbers = np.array([self._numbers[visit] for visit in visits], np.int64)
        return visits, self._store.project(numbers, self._table())

    def stake(self) -> NDArray[np.float64] | None:
        """Return how many pixels of an unknown phase are expected about each pixel, if looked for since last asked.

        Returns
        -------
        (rows, columns) float64 or None
        """
        found, self._stake = self._stake, None
        return found

    def mean_spectra(self) -> NDArray[np.float64]:
        """Return the mean spectrum of each phase's visits, (phases, channels), counts; zero for one never visited."""
        kept = self._pixel[: len(self._store)]
        labels = np.where(kept == GONE, GONE, self._found(np.maximum(kept, 0)))
        sums = self._store.sums(labels, len(self._bank.phases))
        sizes = np.bincount(labels[labels >= 1], minlength=len(sums) + 1)[1:]
        return np.asarray(sums / np.maximum(sizes, 1)[:, None], np.float64)

    def _table(self) -> Floats:
        return np.ascontiguousarray(np.log(self._bank.means).T)

    def _keep(self, visits: Sequence[int], pixels: Integers, spectra: Spectra) -> None:
        first = self._store.add_all(spectra)
        if len(self._store) > len(self._pixel):
            more = max(len(self._store), 2 * len(self._pixel)) - len(self._pixel)
            self._pixel = np.concatenate([self._pixel, np.full(more, GONE, np.int64)])
        self._numbers.update(zip(visits, range(first, len(self._store)), strict=True))
        self._pixel[first : len(self._store)] = pixels

    def _forget(self, number: int) -> None:
        pixel = self._pixel[number : number + 1].copy()
        self._add(pixel, self._store.spectra(np.array([number], np.int64)), -1.0)
        self._pixel[number] = GONE

    def _add(self, pixels: Integers, counts: Spectra, sign: float) -> None:
        binned = bin_counts(counts, self._bank.bin_of, self._bank.bins)
        totals = sign * total_counts(counts)
        rows, columns = pixels // self.shape[1] // self._block, pixels % self.shape[1] // self._block
        np.add.at(self._sums, (rows, columns), np.float32(sign) * binned)
        np.add.at(self._evidence, pixels, sign * self._bank.log_likelihood(counts))
        np.add.at(self._totals, pixels, totals)
        self._counted += float(totals.sum())

    def _assess(self, pixel: int) -> None:
        """See whether all that was counted at a pixel fits a phase."""
        self._assessed[pixel] = 2.0 * self._totals[pixel]
        numbers = np.flatnonzero(self._pixel[: len(self._store)] == pixel)
        pooled = self._store.spectra(numbers).sum(axis=0, keepdims=True)
        label = int(self._bank.assess(pooled)[0][0])
        binned = bin_counts(pooled, self._bank.bin_of, self._bank.bins)[0].astype(np.float64)
        if label == NO_FIT:
            label = NO_FIT if self._bank.explain(binned).doubt > 0 else 0
        self._verdict[pixel] = min(label, 1)

    def _review(self) -> None:
        """Renew what discovered phases look like, then look for more of them."""
        if self._bank.discovered:
            self._renew()
        found = self._scan()
        while len(self._bank.phases) < MOST_PHASES and (square := self._alarming(found)) is not None:
            self._discover(found.first[square], found.last[square])
            found = self._scan()
        self._stake = self._at_stake(found)

    def _scan(self) -> Scan:
        return scan(self._sums, self._bank.known_means(), MODEL_ERROR)

    def _alarming(self, found: Scan) -> int | None:
        """Return the square of largest doubt beyond what chance allows, after a closer look at what may explain it."""
        for square in np.argsort(-found.doubt)[:LOOKS].tolist():
            if found.doubt[square] <= found.alarm:
                return None
            (top, left), (bottom, right) = found.first[square], found.last[square]
            sums = self._sums[top:bottom, left:right].sum(axis=(0, 1), dtype=np.float64)
            found.doubt[square] = min(found.doubt[square], self._bank.strangeness(sums))
            if found.doubt[square] > found.alarm:
                return int(square)
        return None

    def _at_stake(self, found: Scan) -> Floats:
        """Return how many pixels of an unknown phase are expected about each pixel, by its most suspicious square."""
        chance = 1.0 / (1.0 + np.exp(np.clip(found.alarm - found.doubt, -30.0, 30.0)))
        stake = np.zeros(self._sums.shape[:2])
        for square in np.argsort(chance)[-SUSPECTS:].tolist():
            (top, left), (bottom, right) = found.first[square], found.last[square]
            part = stake[top:bottom, left:right]
            np.maximum(part, chance[square] * part.size * self._block**2, out=part)
        wide = stake.repeat(self._block, axis=0).repeat(self._block, axis=1)
        return wide[: self.shape[0], : self.shape[1]]

    def _discover(self, first: Integers, last: Integers) -> None:
        """Make a square's spectrum a phase, and find out where else it is."""
        members = np.zeros(self.shape, bool)
        (top, left), (bottom, right) = first * self._block, last * self._block
        members[top:bottom, left:right] = True
        label = self._bank.discover()
        self._mine[label] = members
        self._refresh()
        for _ in range(REFINEMENTS):
            self._gather(label, int(np.count_nonzero(self._mine[label])))
            self._refresh()

    def _renew(self) -> None:
        """Renew the discovered phases' means from the pixels that are theirs."""
        sizes = np.bincount(self._evidence.argmax(axis=1), minlength=len(self._bank.phases)).tolist()
        for label in self._mine:
            self._gather(label, sizes[label - 1])
        self._refresh()

    def _gather(self, label: int, size: int) -> None:
        """Find the pixels that are of a discovered phase; where none are it keeps those it had."""
        found = self._members(label, size)
        if found.any():
            self._mine[label] = found

    def _members(self, label: int, size: int) -> NDArray[np.bool_]:
        """Return the pixels, (rows, columns), whose neighbourhoods are of a phase, given about how many there are."""
        evidence = self._evidence.reshape(*self.shape, -1)
        others = np.delete(evidence, label - 1, axis=2)
        noise = -np.log(self.channels) * self._totals.reshape(self.shape)
        odds = evidence[:, :, label - 1] - np.maximum(others.max(axis=2), noise)
        pooled = 9.0 * uniform_filter(odds, 3, mode="constant")
        # a pixel beside them has their neighbourhood but not their spectrum
        return np.asarray((pooled > np.log(odds.size / max(size, 1))) & (odds > 0))

    def _refresh(self) -> None:
        """Give discovered phases the mean spectra of their pixels, and weigh all that was counted against them."""
        kept = self._pixel[: len(self._store)]
        labels = np.full(len(kept), GONE, np.int64)
        for label, mask in self._mine.items():
            labels[(kept != GONE) & mask.ravel()[np.maximum(kept, 0)]] = label
        phases = len(self._bank.phases)
        sizes = np.bincount(labels[labels >= 1], minlength=phases + 1)[1:].astype(np.int64)
        self._bank.refresh(self._store.sums(labels, phases), sizes)
        numbers = np.flatnonzero(kept != GONE)
        self._evidence = np.zeros((len(self._evidence), phases))
        np.add.at(self._evidence, kept[numbers], self._store.project(numbers, self._table()))
        self._renewed = True
        for pixel in np.flatnonzero(self._verdict == NO_FIT).tolist():
            self._assess(pixel)
