"""The recommender: takes in every event as it is saved and says where the probe goes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from event_model import DocumentRouter, unpack_event_page
from event_model.documents import Event, EventDescriptor, EventPage, RunStart
from numpy.typing import NDArray

from daisy_bluesky.callbacks._intake import in_order, intake
from daisy_bluesky.callbacks._spending import Spending
from daisy_bluesky.classify import PooledLabeller
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
    labeller : Labeller or PooledLabeller
        Gives every spectrum a phase; e.g. `daisy_bluesky.classify.SpectrumLabeller`. A `PooledLabeller`, which asks for
        a `DoseAllocator`, weighs spectra instead: the policy is told log-likelihoods of the phases and dwell times.
    spectrum : str
        Data key of the spectra that decide.
    position : tuple of str
        Data keys of the probe position in pixels, (row, column).
    stream : str
        The stream that holds the measurements.

    Notes
    -----
    Callbacks run in the RunEngine's thread before ``save`` returns, so the plan can ask for `decide` right away.
    A visit that is emitted again after a pause replaces itself. Runs that were cut short can be fed in first
    (their documents, in order): their visits keep their own numbers, and the decisions go on from there.
    """

    def __init__(
        self,
        policy: Policy,
        labeller: Labeller | PooledLabeller,
        *,
        spectrum: str,
        position: tuple[str, str] = ("probe_row", "probe_column"),
        stream: str = "primary",
    ) -> None:
        super().__init__()
        self.policy = policy
        self.labeller = labeller
        self._intake = intake(policy, labeller)
        self.spending = Spending()
        self._spectrum = spectrum
        self._row_key, self._column_key = position
        self._stream = stream
        self._descriptors: set[str] = set()
        self._pixels: dict[int, tuple[int, int]] = {}
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
        spectrum = np.asarray(data[self._spectrum])
        dwell = float(data.get("beam_dwell_time", np.nan))
        found, relabelled = self._intake.take(visit, pixel, spectrum, dwell)
        if visit % self._estimate_every == 0:
            self._estimate = self.policy.remaining_distortion()
        if self._decided:
            self._answered.clear()
            self._decided = False
        self._answered.append(_Answer(visit, found, relabelled, len(self.labeller.phases), perf_counter() - began))
        return doc

    def event_page(self, doc: EventPage) -> EventPage:
        """Classify the spectra of a page of events and take them in."""
        for event in unpack_event_page(doc):
            self.event(event)
        return doc

    @property
    def visits(self) -> int:
        """Number of visits taken in, those of continued runs included."""
        return len(self._pixels)

    @property
    def visit_labels(self) -> NDArray[np.int16]:
        """What each visit is taken for by now, (visits,) int16: 0 failed, 1..L phase, -1 unknown."""
        return in_order(self._intake.labels)

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
