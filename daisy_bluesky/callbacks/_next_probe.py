"""The recommender: takes in every event as it is saved and says where the probe goes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, RunStart
from numpy.typing import NDArray

from daisy_bluesky.callbacks._spending import Spending
from daisy_bluesky.protocols import Labeller, Policy

RAREST_ESTIMATE = 256
NOWHERE = -1


@dataclass(frozen=True)
class Decision:
    """Where to measure next, and what the decision rests on.

    Attributes
    ----------
    row, column : float
        The next probe position, pixels; -1 when nothing is left to measure.
    dwell : float
        The dwell time asked for, s; NaN leaves the detectors' own.
    expected_reduction : float
        Expected reduction in distortion of that visit.
    visit : int
        The visit this decision answers, counted over continued runs.
    found : int
        Label found there: 0 failed spectrum, 1..L phase, -1 unknown phase.
    relabelled : int
        How many earlier visits changed their label with it.
    phases : int
        Number of phases known by now.
    remaining_distortion : float
        Estimated total distortion that remains, renewed after every 256th part of the pixels, but at least every 256
        visits.
    latency : float
        Time from the event to the decision, s.
    """

    row: float
    column: float
    dwell: float
    expected_reduction: float
    visit: int
    found: int
    relabelled: int
    phases: int
    remaining_distortion: float
    latency: float

    def __bool__(self) -> bool:
        return self.row != NOWHERE


class NextProbe(DocumentRouter):
    """Ask, after every event, for the next probe position.

    Parameters
    ----------
    policy : Policy
        Decides where; e.g. `daisy_bluesky.sampling.Slads`.
    labeller : Labeller
        Gives every spectrum a phase; e.g. `daisy_bluesky.classify.SpectrumLabeller`.
    spectrum : str
        Data key of the spectra that decide.
    position : tuple of str
        Data keys of the probe position in pixels, (row, column).
    stream : str
        The stream that holds the measurements.
    weighs : bool
        Whether the policy weighs spectra: it is told log-likelihoods of the phases and dwell times where the labeller
        takes a spectrum for one of the phases, instead of labels.

    Notes
    -----
    Callbacks run in the RunEngine's thread before ``save`` returns, so the plan can ask for `decide` right away.
    A visit that is emitted again after a pause replaces itself. Runs that were cut short can be fed in first
    (their documents, in order): their visits keep their own numbers, and the decisions go on from there.
    """

    def __init__(
        self,
        policy: Policy,
        labeller: Labeller,
        *,
        spectrum: str,
        position: tuple[str, str] = ("probe_row", "probe_column"),
        stream: str = "primary",
        weighs: bool = False,
    ) -> None:
        super().__init__()
        self.policy = policy
        self.labeller = labeller
        self.spending = Spending()
        self._spectrum = spectrum
        self._row_key, self._column_key = position
        self._stream = stream
        self._weighs = weighs
        self._descriptors: set[str] = set()
        self._pixels: dict[int, tuple[int, int]] = {}
        self._labels: dict[int, int] = {}
        self._weighed: dict[int, int] = {}
        self._offset = 0
        self._visit = 0
        self._found = 0
        self._relabelled = 0
        self._reacting = 0.0
        self._estimate = (float("nan"),) * 3
        pixels = policy.shape[0] * policy.shape[1]
        self._estimate_every = min(max(pixels // RAREST_ESTIMATE, 1), RAREST_ESTIMATE)

    def start(self, doc: RunStart) -> None:  # noqa: ARG002
        """Begin a run: its visits are counted after those of the runs it continues."""
        self._offset = max(self._pixels, default=0)
        self._descriptors.clear()
        self.spending.begin()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note the stream that holds the measurements."""
        if doc["name"] != self._stream:
            return
        missing = {self._spectrum, self._row_key, self._column_key} - doc["data_keys"].keys()
        if missing:
            raise ValueError(
                f"the events carry no {', '.join(sorted(missing))}; measured are {', '.join(sorted(doc['data_keys']))}"
            )
        self._descriptors.add(doc["uid"])

    def event(self, doc: Event) -> Event:
        """Classify the spectrum of an event and take it in."""
        if doc["descriptor"] not in self._descriptors:
            return doc
        began = perf_counter()
        data = doc["data"]
        visit = self._offset + int(doc["seq_num"])
        pixel = (round(data[self._row_key]), round(data[self._column_key]))
        self.spending.add(visit, pixel, data)
        self._pixels[visit] = pixel
        self._visit = visit
        spectrum = np.asarray(data[self._spectrum])
        self._found = self.labeller.label(visit, spectrum)
        self._labels[visit] = self._found
        dwell = (data.get("beam_dwell_time", np.nan),)
        self.policy.ingest((pixel,), self._evidence(visit, spectrum), dwell=dwell, visits=(visit,))
        self._relabel()
        if visit % self._estimate_every == 0:
            self._estimate = self.policy.remaining_distortion()
        self._reacting = perf_counter() - began
        return doc

    def _evidence(self, visit: int, spectrum: NDArray[np.generic]) -> Sequence[int] | NDArray[np.float64]:
        if not self._weighs or self._found < 1:
            self._weighed.pop(visit, None)
            return (self._found,)
        evidence = self.labeller.log_likelihood(spectrum)
        self._weighed[visit] = len(evidence)
        return evidence[None]

    def _relabel(self) -> None:
        changed = self.labeller.relabelled()
        self._relabelled = len(changed)
        self._labels.update(changed)
        # likelihoods stay where a spectrum only looks more like another of the phases they speak of than before
        news = [(visit, label) for visit, label in changed if not 1 <= label <= self._weighed.get(visit, 0)]
        if news:
            visits, labels = zip(*news, strict=True)
            self.policy.ingest([self._pixels[visit] for visit in visits], labels, visits=visits)

    @property
    def visits(self) -> int:
        """Number of visits taken in, those of continued runs included."""
        return len(self._pixels)

    @property
    def visit_labels(self) -> NDArray[np.int16]:
        """What each visit is taken for by now, (visits,) int16: 0 failed, 1..L phase, -1 unknown."""
        return np.array([self._labels[visit] for visit in sorted(self._labels)], dtype=np.int16)

    @property
    def remaining_distortion(self) -> tuple[float, float, float]:
        """The latest (estimate, low, high) of the total distortion that remains."""
        return self._estimate

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits, (n,) with fields row, column, dwell; empty when nothing is left."""
        return self.policy.suggest(n)

    def decide(self) -> Decision:
        """Return the next probe position and the reasons for it; asking twice changes nothing."""
        began = perf_counter()
        suggestion = self.policy.suggest(1)
        row, column, dwell, expected = float(NOWHERE), float(NOWHERE), float("nan"), 0.0
        if len(suggestion):
            row, column, dwell = (float(value) for value in suggestion[0])
            expected = float(self.policy.expected_at(int(row), int(column)))
        latency = self._reacting + perf_counter() - began
        return Decision(
            row,
            column,
            dwell,
            expected,
            self._visit,
            self._found,
            self._relabelled,
            len(self.labeller.phases),
            self._estimate[0],
            latency,
        )
