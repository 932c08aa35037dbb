"""The recommender: takes in every event as it is saved and says where the probe goes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, EventPage, RunStart
from numpy.typing import NDArray

from daisy_bluesky.callbacks._frame_evidence import FRAME, frame_evidence, frame_key
from daisy_bluesky.callbacks._spending import Spending
from daisy_bluesky.protocols import Labeller, Policy

RAREST_ESTIMATE = 256
NOWHERE = -1
NO_TARGET = (float(NOWHERE), float(NOWHERE), float("nan"))


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
        How many earlier visits changed their label with it, or with the batch it is one of.
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


class _Answer(NamedTuple):
    """What a visit has told."""

    visit: int = 0
    found: int = 0
    relabelled: int = 0
    phases: int = 0
    seconds: float = 0.0


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
        self._frames: dict[str, tuple[int, int, int]] = {}
        self._pixels: dict[int, tuple[int, int]] = {}
        self._labels: dict[int, int] = {}
        self._weighed: dict[int, int] = {}
        self._offset = 0
        self._answered: list[_Answer] = []
        self._decided = False
        self._estimate = (float("nan"),) * 3
        pixels = policy.shape[0] * policy.shape[1]
        self._estimate_every = min(max(pixels // RAREST_ESTIMATE, 1), RAREST_ESTIMATE)

    def start(self, doc: RunStart) -> None:  # noqa: ARG002
        """Begin a run: its visits are counted after those of the runs it continues."""
        self._offset = max(self._pixels, default=0)
        self._descriptors.clear()
        self._answered.clear()
        self.spending.begin()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note the streams that hold the measurements."""
        if doc["name"] == FRAME and (key := frame_key(self._spectrum)) in doc["data_keys"]:
            rows, columns, channels = np.array(doc["data_keys"][key]["shape"]).tolist()
            self._frames[doc["uid"]] = (rows, columns, channels)
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
        if doc["descriptor"] in self._frames:
            self._take_frame(self._frames[doc["descriptor"]], doc["data"])
        if doc["descriptor"] not in self._descriptors:
            return doc
        began = perf_counter()
        data = doc["data"]
        visit = self._offset + int(doc["seq_num"])
        pixel = (round(data[self._row_key]), round(data[self._column_key]))
        self.spending.add(visit, pixel, data)
        self._pixels[visit] = pixel
        spectrum = np.asarray(data[self._spectrum])
        found = self.labeller.label(visit, spectrum)
        self._labels[visit] = found
        dwell = (data.get("beam_dwell_time", np.nan),)
        self.policy.ingest((pixel,), self._evidence(visit, found, spectrum), dwell=dwell, visits=(visit,))
        relabelled = self._relabel()
        if visit % self._estimate_every == 0:
            self._estimate = self.policy.remaining_distortion()
        if self._decided:
            self._answered.clear()
            self._decided = False
        self._answered.append(_Answer(visit, found, relabelled, len(self.labeller.phases), perf_counter() - began))
        return doc

    def _take_frame(self, shape: tuple[int, int, int], data: Mapping[str, Any]) -> None:
        """Take in one visit to every pixel; these have no numbers of their own."""
        positions, evidence = frame_evidence(self.labeller, data[frame_key(self._spectrum)], shape)
        self.policy.ingest(positions, evidence, dwell=np.full(len(positions), float(data["frame_dwell_time"])))
        self.spending.add_scan(shape[:2], data)
        self._estimate = self.policy.remaining_distortion()

    def event_page(self, doc: EventPage) -> EventPage:
        """Classify the spectra of a page of events, all together, and take them in."""
        if doc["descriptor"] in self._descriptors and len(doc["seq_num"]):
            self._take_page(doc["seq_num"], doc["data"])
        return doc

    def _take_page(self, seq_nums: Sequence[int], data: Mapping[str, Sequence[Any]]) -> None:
        began = perf_counter()
        visits = [self._offset + int(seq_num) for seq_num in seq_nums]
        pixels = [*zip(map(round, data[self._row_key]), map(round, data[self._column_key]), strict=True)]
        self.spending.add_page(visits, pixels, data)
        self._pixels.update(zip(visits, pixels, strict=True))
        spectra = np.asarray(data[self._spectrum])
        found = self.labeller.label_batch(visits, spectra)
        self._labels.update(zip(visits, found.tolist(), strict=True))
        dwell = np.asarray(data.get("beam_dwell_time", np.full(len(visits), np.nan)), np.float64)
        self._ingest_page(np.array(visits), np.array(pixels), spectra, found, dwell)
        relabelled = self._relabel()
        if visits[-1] // self._estimate_every > (visits[0] - 1) // self._estimate_every:
            self._estimate = self.policy.remaining_distortion()
        if self._decided:
            self._answered.clear()
            self._decided = False
        phases, seconds = len(self.labeller.phases), (perf_counter() - began) / len(visits)
        self._answered += [
            _Answer(visit, label, relabelled, phases, seconds)
            for visit, label in zip(visits, found.tolist(), strict=True)
        ]

    def _ingest_page(
        self,
        visits: NDArray[np.int64],
        pixels: NDArray[np.int64],
        spectra: NDArray[np.generic],
        found: NDArray[np.int64],
        dwell: NDArray[np.float64],
    ) -> None:
        weighed = (found >= 1) & self._weighs
        for chosen in (np.flatnonzero(~weighed), np.flatnonzero(weighed)):
            if len(chosen):
                evidence = self._evidence_of(visits[chosen], spectra[chosen], found[chosen], weighed[chosen[0]])
                self.policy.ingest(pixels[chosen], evidence, dwell=dwell[chosen], visits=visits[chosen])

    def _evidence_of(
        self, visits: NDArray[np.int64], spectra: NDArray[np.generic], found: NDArray[np.int64], weighed: np.bool_
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        evidence = self.labeller.log_likelihoods(spectra) if weighed else found
        for visit in visits.tolist():
            if weighed:
                self._weighed[visit] = evidence.shape[1]
            else:
                self._weighed.pop(visit, None)
        return evidence

    def _evidence(self, visit: int, found: int, spectrum: NDArray[np.generic]) -> Sequence[int] | NDArray[np.float64]:
        if not self._weighs or found < 1:
            self._weighed.pop(visit, None)
            return (found,)
        evidence = self.labeller.log_likelihood(spectrum)
        self._weighed[visit] = len(evidence)
        return evidence[None]

    def _relabel(self) -> int:
        changed = self.labeller.relabelled()
        self._labels.update(changed)
        # likelihoods stay where a spectrum only looks more like another of the phases they speak of than before
        news = [(visit, label) for visit, label in changed if not 1 <= label <= self._weighed.get(visit, 0)]
        if news:
            visits, labels = zip(*news, strict=True)
            self.policy.ingest([self._pixels[visit] for visit in visits], labels, visits=visits)
        return len(changed)

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
        return self._decisions(1, self._answered[-1:])[0]

    def decide_batch(self, n: int) -> list[Decision]:
        """Return up to n next probe positions and the reasons for them; asking twice changes nothing.

        Returns
        -------
        list of Decision
            One for each visit since positions were decided last, and at least one. Decisions beyond the number of
            visits answer the latest; those for which no position is left lead nowhere.
        """
        return self._decisions(n, self._answered)

    def _decisions(self, n: int, answered: Sequence[_Answer]) -> list[Decision]:
        began = perf_counter()
        self._decided = True
        targets = [tuple(map(float, suggestion)) for suggestion in self.policy.suggest(n)]
        reductions = [float(self.policy.expected_at(int(row), int(column))) for row, column, _ in targets]
        rows = max(len(targets), len(answered), 1)
        targets += [NO_TARGET] * (rows - len(targets))
        reductions += [0.0] * (rows - len(reductions))
        answers = [*answered] or [_Answer()]
        answers += answers[-1:] * (rows - len(answers))
        latency = sum(answer.seconds for answer in answered) + perf_counter() - began
        estimate = self._estimate[0]
        return [
            Decision(row, column, dwell, reduction, *answer[:-1], estimate, latency)
            for (row, column, dwell), reduction, answer in zip(targets, reductions, answers, strict=True)
        ]
