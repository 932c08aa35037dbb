"""The recommender: takes in every event as it is saved and says where the probe goes next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple, cast

import numpy as np
from event_model import DocumentRouter, unpack_event_page
from event_model.documents import Event, EventDescriptor, EventPage, RunStart
from numpy.typing import NDArray

from daisy_bluesky.callbacks._frame_spectra import FRAME, frame_key
from daisy_bluesky.callbacks._intake import Intake, Labelling, Visits, in_order
from daisy_bluesky.callbacks._spending import Spending
from daisy_bluesky.callbacks._weighing import Weighing
from daisy_bluesky.classify import PooledLabeller
from daisy_bluesky.protocols import Labeller, Policy
from daisy_bluesky.sampling import DoseAllocator, GuidedSlads, PreferredRegions, Survey

STEERING = "steering"
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
    labeller : Labeller or PooledLabeller
        Gives every spectrum a phase; e.g. `daisy_bluesky.classify.SpectrumLabeller`. A `PooledLabeller`, which asks for
        a `DoseAllocator`, weighs spectra instead: the policy is told log-likelihoods of the phases and dwell times.
    spectrum : str
        Data key of the spectra that decide.
    position : tuple of str
        Data keys of the probe position in pixels, (row, column).
    stream : str
        The stream that holds the measurements.

    Attributes
    ----------
    steered : mapping of str to Any
        What the operator has asked for last; empty when nothing.

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
        self.spending = Spending()
        self.steered: Mapping[str, Any] = {}
        self._intake = self._make_intake()
        self._spectrum = spectrum
        self._row_key, self._column_key = position
        self._stream = stream
        self._required = {spectrum, *position}
        self._descriptors: set[str] = set()
        self._others: dict[str, Callable[[Mapping[str, Any]], None]] = {}
        self._visits = 0
        self._offset = 0
        self._answered: list[_Answer] = []
        self._decided = False
        self._estimate = (float("nan"),) * 3
        pixels = policy.shape[0] * policy.shape[1]
        self._estimate_every = min(max(pixels // RAREST_ESTIMATE, 1), RAREST_ESTIMATE)

    def _make_intake(self) -> Intake:
        if not isinstance(self.labeller, PooledLabeller):
            return Labelling(self.policy, self.labeller)
        if not isinstance(self.policy, DoseAllocator):
            name = type(self.policy).__name__
            raise TypeError(f"a PooledLabeller weighs spectra for a DoseAllocator, not for a {name}")
        return Weighing(self.policy, self.labeller)

    def start(self, doc: RunStart) -> None:  # noqa: ARG002
        """Begin a run: its visits are counted after those of the runs it continues."""
        self._offset = self._visits
        self._descriptors.clear()
        self._others.clear()
        self._answered.clear()
        self.spending.begin()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note the streams that hold the measurements, a survey image, a whole frame and what the operator wants."""
        name, keys = doc["name"], doc["data_keys"]
        if name == self._stream:
            if missing := self._required - keys.keys():
                have = ", ".join(sorted(keys))
                raise ValueError(f"the events carry no {', '.join(sorted(missing))}; measured are {have}")
            self._descriptors.add(doc["uid"])
        elif name == STEERING:
            self._others[doc["uid"]] = self._steer
        elif name == "survey":
            self._others[doc["uid"]] = self._heed
        elif name == FRAME and (key := frame_key(self._spectrum)) in keys:
            shape = cast(tuple[int, int, int], tuple(keys[key]["shape"]))
            self._others[doc["uid"]] = partial(self._take_frame, shape)

    def event(self, doc: Event) -> Event:
        """Classify the spectrum of an event and take it in; heed a survey image, a whole frame or the operator."""
        if doc["descriptor"] in self._descriptors:
            self._take([doc["seq_num"]], {key: (value,) for key, value in doc["data"].items()})
        elif doc["descriptor"] in self._others:
            self._others[doc["descriptor"]](doc["data"])
        return doc

    def event_page(self, doc: EventPage) -> EventPage:
        """Classify the spectra of a page of events, all together, and take them in."""
        if doc["descriptor"] in self._descriptors:
            if len(doc["seq_num"]):
                self._take(doc["seq_num"], doc["data"])
        elif doc["descriptor"] in self._others:
            for event in unpack_event_page(doc):
                self.event(event)
        return doc

    def _take(self, seq_nums: Sequence[int], data: Mapping[str, Sequence[Any]]) -> None:
        began = perf_counter()
        visits = self._told(seq_nums, data)
        self._visits = max(self._visits, *visits.numbers)
        self.spending.add(visits.numbers, visits.pixels, data)
        found, relabelled = self._intake.take(visits)
        if visits.numbers[-1] // self._estimate_every > (visits.numbers[0] - 1) // self._estimate_every:
            self._estimate = self.policy.remaining_distortion()
        if self._decided:
            self._answered.clear()
            self._decided = False
        phases, seconds = len(self.labeller.phases), (perf_counter() - began) / len(found)
        self._answered += [
            _Answer(visit, label, relabelled, phases, seconds)
            for visit, label in zip(visits.numbers, found, strict=True)
        ]

    def _told(self, seq_nums: Sequence[int], data: Mapping[str, Sequence[Any]]) -> Visits:
        numbers = [self._offset + int(seq_num) for seq_num in seq_nums]
        pixels = [*zip(map(round, data[self._row_key]), map(round, data[self._column_key]), strict=True)]
        dwell = np.asarray(data.get("beam_dwell_time", np.full(len(numbers), np.nan)), np.float64)
        return Visits(numbers, pixels, np.asarray(data[self._spectrum]), dwell, data)

    def _heed(self, data: Mapping[str, Any]) -> None:
        if not isinstance(self.policy, DoseAllocator | GuidedSlads):
            raise TypeError("survey: this policy heeds no survey image; use DoseAllocator or GuidedSlads of sampling")
        self.policy.heed(Survey(data["survey_image"]))
        self.spending.add_scan("survey", np.shape(data["survey_image"]), data, measures=False)

    def _take_frame(self, shape: tuple[int, int, int], data: Mapping[str, Any]) -> None:
        """Take in one visit to every pixel; these have no numbers of their own."""
        if not isinstance(self._intake, Weighing):
            raise TypeError("frame: this policy weighs no frames; use sampling.DoseAllocator, policy='dose'")
        self._intake.take_frame(data[frame_key(self._spectrum)], shape, float(data["frame_dwell_time"]))
        self.spending.add_scan(FRAME, shape[:2], data, measures=True)
        self._estimate = self.policy.remaining_distortion()

    def _steer(self, data: Mapping[str, Any]) -> None:
        """Do what the operator has asked for, as an event of the steering stream says."""
        self.steered = data
        self.policy.restrict(np.asarray(data["allowed"], bool))
        if "preference" in data and isinstance(self.policy, PreferredRegions):
            self.policy.prefer(np.asarray(data["preference"]))

    def result(self) -> dict[str, NDArray[np.generic]]:
        """Return what the map comes to, by data key."""
        return {
            "phase_map": self.policy.reconstruct().astype(np.int16),
            "visit_labels": self.visit_labels,
            "mean_spectra": self.labeller.mean_spectra(),
        }

    @property
    def visits(self) -> int:
        """Number of visits taken in, those of continued runs included."""
        return self._visits

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
