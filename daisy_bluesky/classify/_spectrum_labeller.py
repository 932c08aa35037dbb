"""Labels for the spectra of a run, as they come, with phases that may grow."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify._counts import Integers, Singles, Spectra, as_spectra
from daisy_bluesky.classify._phase_bank import NO_FIT, PhaseBank
from daisy_bluesky.classify._phase_classifier import PhaseClassifier
from daisy_bluesky.classify._phase_split import splits
from daisy_bluesky.classify._spectrum_store import SpectrumStore
from daisy_bluesky.classify._spike import is_spike
from daisy_bluesky.classify._unknown_phases import CERTAINTY, ILL, Cluster, UnknownPhases
from daisy_bluesky.classify._warm_up import compile_kernels

GONE = -9
FIRST_REVIEW = 16
REVIEW_GROWTH = 1.3
REVIEWED_AT_ONCE = 4000
SPLIT_BINS = 64
MOST_PHASES = 20
COMMON = 0.05  # of all visits: more are never ill in the same way


class SpectrumLabeller:
    """Gives each spectrum a label when it comes, and better ones when more is known.

    Spectra that fit no phase are kept as unknown and clustered; a cluster with enough evidence becomes a phase in the
    middle of the run. Whenever the number of spectra has grown by a third, the mean spectra of discovered phases are
    renewed, phases that are in truth two are split, and earlier labels are looked over. The same sequence of spectra
    gives the same labels.

    Parameters
    ----------
    classifier : PhaseClassifier or None
        The phases known beforehand; None starts with no phase at all.
    channels : int
        Number of energy channels.

    Raises
    ------
    ValueError
        When the classifier was made for another number of channels.
    """

    def __init__(self, classifier: PhaseClassifier | None, channels: int) -> None:
        if classifier is not None and classifier.channels != channels:
            raise ValueError(f"the classifier was made for {classifier.channels} channels, the detector has {channels}")
        compile_kernels()
        self.channels = channels
        self._bank = PhaseBank(classifier, channels)
        self._store = SpectrumStore(channels)
        self._unknown = UnknownPhases()
        self._numbers: dict[Hashable, int] = {}
        self._visits: list[Hashable] = []
        self._labels, self._told = np.full((2, 1024), GONE, np.int64)
        self._next_review = FIRST_REVIEW
        self._looked_over = False
        self._renewals = 0

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases 1..L; phases discovered in the run come last."""
        return tuple(self._bank.phases)

    def label(self, visit: Hashable, spectrum: ArrayLike) -> int:
        """Take in a spectrum and return its label.

        Parameters
        ----------
        visit : hashable
            Identifies the visit; one seen before is replaced.
        spectrum : (channels,) array_like
            Counts.

        Returns
        -------
        int
            0 ill, 1..L a phase, -1 a phase that is not known yet.

        Raises
        ------
        ValueError
            When the spectrum has another number of channels.
        """
        counts = self._one(spectrum)
        number = self._admit(visit, counts, int(self._bank.assess(counts)[0][0]))
        self._told[number] = self._labels[number]
        return int(self._labels[number])

    def label_batch(self, visits: Sequence[Hashable], spectra: ArrayLike) -> Integers:
        """Take in several spectra and return their labels once all are known, (n,) int64; what they are is `label`'s.

        Parameters
        ----------
        visits : sequence of hashable
            Identifies the visits; one seen before is replaced.
        spectra : (n, channels) array_like
            Counts.

        Raises
        ------
        ValueError
            When the spectra have another number of channels, or there is not one for every visit.
        """
        counts = as_spectra(spectra, self.channels)
        if len(counts) != len(visits):
            raise ValueError(f"{len(counts)} spectra for {len(visits)} visits; give one for each")
        numbers: list[int] = []
        while len(numbers) < len(visits):
            numbers += self._take(visits[len(numbers) :], counts[len(numbers) :])
        self._told[numbers] = self._labels[numbers]
        return self._labels[numbers]

    def _take(self, visits: Sequence[Hashable], counts: Spectra) -> list[int]:
        """Take in spectra until one of them changes what labels rest on; return the numbers of those taken in."""
        labels, numbers, renewed = self._bank.assess(counts)[0], list[int](), self._renewals
        while len(numbers) < len(visits) and self._renewals == renewed:
            first = len(numbers)
            stop = first + self._ordinary(visits[first:], labels[first:])
            if stop > first:
                numbers += self._keep(visits[first:stop], counts[first:stop], labels[first:stop])
            else:
                numbers.append(self._admit(visits[first], counts[first : first + 1], int(labels[first])))
        return numbers

    def _ordinary(self, visits: Sequence[Hashable], labels: Integers) -> int:
        """Return how many visits, from the first, are new, of known phases and before the next review: only kept."""
        if len(set(visits)) < len(visits) or not self._numbers.keys().isdisjoint(visits):
            return 0
        room = max(self._next_review - 1 - len(self._numbers), 0)
        return int(np.append(labels[:room] == NO_FIT, True).argmax())

    def relabelled(self) -> list[tuple[Hashable, int]]:
        """Return (visit, label) of every earlier visit whose label has changed since it was last given out."""
        if not self._looked_over:
            return []
        self._looked_over = False
        kept = len(self._store)
        changed = np.flatnonzero(self._labels[:kept] != self._told[:kept])
        self._told[:kept] = self._labels[:kept]
        return [(self._visits[number], int(self._labels[number])) for number in changed]

    def log_likelihood(self, spectrum: ArrayLike) -> NDArray[np.float64]:
        """Return the log-likelihood of each phase known now, (phases,), nats, up to a term all phases share."""
        return np.asarray(self._bank.log_likelihood(self._one(spectrum))[0], np.float64)

    def log_likelihoods(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return those of several spectra (n, channels), (n, phases)."""
        return np.asarray(self._bank.log_likelihood(as_spectra(spectra, self.channels)), np.float64)

    def mean_spectra(self) -> NDArray[np.float64]:
        """Return the mean spectrum of each phase's visits, (phases, channels), counts; zero for one never visited."""
        sums = self._store.sums(self._labels[: len(self._store)], len(self._bank.phases))
        return np.asarray(sums / np.maximum(self._sizes(), 1)[:, None], np.float64)

    def _sizes(self) -> Integers:
        labels = self._labels[: len(self._store)]
        return np.bincount(labels[labels >= 1], minlength=len(self._bank.phases) + 1)[1:].astype(np.int64)

    def _one(self, spectrum: ArrayLike) -> Spectra:
        counts = as_spectra(spectrum, self.channels)
        if len(counts) != 1:
            raise ValueError(f"give one spectrum (channels,) at a time, not {len(counts)}")
        return counts

    def _admit(self, visit: Hashable, counts: Spectra, label: int) -> int:
        """Take in a spectrum, (1, channels), with the label it seems to have; return its number."""
        if visit in self._numbers:
            self._forget(self._numbers[visit])
        (number,) = self._keep([visit], counts, np.array([label]))
        if label == NO_FIT:
            self._consider(number, counts)
        if len(self._numbers) >= self._next_review:
            self._review()
            self._next_review = int(len(self._numbers) * REVIEW_GROWTH) + 1
        return number

    def _keep(self, visits: Sequence[Hashable], counts: Spectra, labels: Integers) -> list[int]:
        first = self._store.add_all(counts)
        numbers = list(range(first, first + len(visits)))
        while len(self._store) > len(self._labels):
            self._labels, self._told = (np.resize(each, 2 * len(each)) for each in (self._labels, self._told))
        self._labels[numbers] = labels
        self._numbers.update(zip(visits, numbers, strict=True))
        self._visits += visits
        return numbers

    def _forget(self, number: int) -> None:
        self._unknown.remove(number, self._binned([number])[0])
        self._labels[number] = self._told[number] = GONE

    def _binned(self, numbers: list[int]) -> Singles:
        return self._store.binned(np.array(numbers, np.int64), self._bank.bin_of, self._bank.bins)

    def _consider(self, number: int, counts: Spectra) -> None:
        """Place a spectrum that fits no phase: a spike is ill at once, others wait for more of their kind."""
        self._looked_over = True
        if self._bank.phases and is_spike(counts[0]):
            self._labels[number] = ILL
            return
        cluster = self._unknown.add(number, self._binned([number])[0])
        ready = self._unknown.judge(cluster, self._bank.explain(cluster.sums))
        self._labels[cluster.members] = cluster.label
        if ready and len(self._bank.phases) < MOST_PHASES:
            self._promote(cluster)

    def _promote(self, cluster: Cluster) -> None:
        self._labels[cluster.members] = self._bank.discover()
        self._unknown.clusters.remove(cluster)
        self._renew()

    def _renew(self) -> None:
        """Renew the discovered phases' means, and all labels under them."""
        self._renewals += 1
        labels = self._labels[: len(self._store)]
        self._bank.refresh(self._store.sums(labels, len(self._bank.phases)), self._sizes())
        if not self._bank.discovered:
            return
        named = np.flatnonzero(labels >= 1)
        labels[named] = self._bank.relabel(self._store, named)
        self._reconsider()

    def _reconsider(self) -> None:
        """See whether spectra that fitted no phase fit one now."""
        waiting = sorted(number for cluster in self._unknown.clusters for number in cluster.members)
        if not waiting:
            return
        labels, _ = self._bank.assess(self._store.spectra(np.array(waiting, np.int64)))
        for number, label in zip(waiting, labels, strict=True):
            if label != NO_FIT:
                self._labels[number] = label
                self._unknown.remove(number, self._binned([number])[0])
        for cluster in self._unknown.clusters:
            self._unknown.judge(cluster, self._bank.explain(cluster.sums))
            self._labels[cluster.members] = cluster.label

    def _review(self) -> None:
        self._looked_over = True
        if self._bank.discovered:
            self._renew()
        for label in range(1, len(self._bank.phases) + 1):
            if len(self._bank.phases) < MOST_PHASES and self._split(label):
                self._renew()

    def _split(self, label: int) -> bool:
        """Split a phase whose spectra are those of two; return whether it was."""
        members = np.flatnonzero(self._labels[: len(self._store)] == label)
        members = members[:: -(-len(members) // REVIEWED_AT_ONCE) or 1]
        if len(members) < FIRST_REVIEW:
            return False
        mean = self._bank.means[label - 1]
        bin_of = np.minimum((np.cumsum(mean) - mean / 2) * SPLIT_BINS, SPLIT_BINS - 1).astype(np.int64)
        proposals = splits(self._store.binned(members, bin_of, SPLIT_BINS))
        return any(self._part(members[second], label) for second in proposals)

    def _part(self, members: Integers, label: int) -> bool:
        """Make members of a phase one of their own, unless something known, or the rest of the phase, explains them."""
        rest = self._labels[: len(self._store)].copy()
        rest[members] = GONE
        bank = self._bank.parted(label, self._store.sums(rest, len(self._bank.phases)), self._sizes())
        sums = self._binned(members.tolist()).sum(0, dtype=np.float64)
        if bank.explain(sums, common=len(members) > COMMON * len(self._numbers)).doubt <= CERTAINTY:
            return False
        self._labels[members] = self._bank.discover()
        return True
