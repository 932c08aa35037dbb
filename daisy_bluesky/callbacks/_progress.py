"""A live line in the terminal: points, rate, dose spent, time left, estimated quality."""

from collections.abc import Mapping
from math import isnan
from time import monotonic
from typing import Any, cast

from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, RunStart, RunStop
from rich.console import Console
from rich.text import Text
from scipy.constants import elementary_charge

REDRAW_INTERVAL = 0.2
ANGSTROM_PER_NM = 10.0
SHORTEST_BAR, LONGEST_BAR = 8, 40
ROOM_FOR_FIGURES = 77
FRAME = "frame"
SCANS = (FRAME, "survey")
ASKED_FOR = "asked for"
POLICIES = {"slads": "one visit a pixel (slads)", "dose": "where and how long (dose)"}


class ProgressReporter(DocumentRouter):
    """Shows how a map is getting on; redrawn at most five times a second, so that it costs the loop nothing.

    It writes one line and nothing else: a run that is paused leaves the terminal to its user.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to draw; the terminal when not given. Where there is no terminal, only the last state is written.

    Attributes
    ----------
    uid : str
        The run that is shown.
    points : int
        How many events it has.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.uid = ""
        self.points = 0
        self._console = console or Console()
        self._streams: dict[str, str] = {}
        self._total = 0
        self._pixels, self._area = 0, 0.0
        self._charge = 0.0
        self._distortion = float("nan")
        self._policy = ""
        self._budget = self._spent = 0.0
        self._unit, self._left_out = "points", 0
        self._began = self._drawn = 0.0

    def start(self, doc: RunStart) -> None:
        """Begin a line for the run."""
        self.uid = doc["uid"]
        self.points, self._charge, self._distortion = 0, 0.0, float("nan")
        told = cast(Mapping[str, Any], doc)
        self._total = int(told.get("num_points", 0))
        self._budget, self._spent = float(told.get("dwell_budget", 0.0)), 0.0
        self._explain(told.get("recommender", {}))
        shape, pixel_size = told.get("shape"), told.get("pixel_size")
        frames = told.get("multiframe")
        self._pixels = shape[0] * shape[1] if shape else 0
        self._area = self._pixels * (pixel_size * ANGSTROM_PER_NM) ** 2 if pixel_size else 0.0
        self._area *= len(frames["areas"]) if frames else 1
        self._left_out, self._unit = 0, ("frames" if frames else "points")
        self._streams.clear()
        self._began = self._drawn = monotonic()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note which stream is which."""
        self._streams[doc["uid"]] = doc["name"]

    def event(self, doc: Event) -> Event:
        """Count a point, or note the estimated quality a decision came with."""
        stream = self._streams.get(doc["descriptor"])
        if stream == "primary":
            if doc["seq_num"] > self.points:  # an event that is emitted again was not exposed again
                self._charge += float(doc["data"].get("beam_charge", doc["data"].get("frame_charge", 0.0)))
                self._spent += float(doc["data"].get("beam_dwell_time", 0.0))
            self.points = int(doc["seq_num"])
            if self._console.is_terminal and monotonic() - self._drawn >= REDRAW_INTERVAL:
                self._draw(end="\r")
        elif stream == "decisions":
            self._distortion = float(doc["data"]["remaining_distortion"])
        elif stream in SCANS:
            self._charge += float(doc["data"][f"{stream}_charge"])
            if stream == FRAME:
                self._spent += float(doc["data"][f"{stream}_dwell_time"]) * self._pixels
        elif stream == "registration":
            self._left_out += bool(doc["data"]["excluded"])
        return doc

    def stop(self, doc: RunStop) -> None:  # noqa: ARG002
        """Draw the last state and end the line."""
        self._draw(end="\n")

    def _explain(self, recommender: Mapping[str, Any]) -> None:
        """Say what decides, and why, where the user has left that to the cost of a visit."""
        self._policy, reason = str(recommender.get("policy", "")), recommender.get("policy_reason", "")
        if reason and reason != ASKED_FOR:
            name = POLICIES.get(self._policy, self._policy)
            self._console.print(f"{name}: {reason}", highlight=False, soft_wrap=True)

    @property
    def _done(self) -> float:
        """How much of the run is done, from 0 to 1; 0 where it has no known end."""
        if self._budget:
            return min(self._spent / self._budget, 1.0)
        return min(self.points / self._total, 1.0) if self._total else 0.0

    def _draw(self, end: str) -> None:
        self._drawn = monotonic()
        # a terminal that is written into its last column goes on to the next line
        room = self._console.width - 1
        line = Text()
        if self._budget or self._total:
            line = _bar(self._done, min(LONGEST_BAR, max(SHORTEST_BAR, room - ROOM_FOR_FIGURES)))
        line.append("  ".join(self._figures()))
        line.truncate(room, pad=self._console.is_terminal)
        self._console.print(line, end=end, soft_wrap=True)

    def _figures(self) -> list[str]:
        seconds = max(self._drawn - self._began, 1e-9)
        electrons = self._charge * 1e-12 / elementary_charge
        figures = [
            f"{self.points}/{self._total} {self._unit}"
            if self._total and not self._budget
            else f"{self.points} {self._unit}",
            f"{self.points / seconds:.0f}/s" if self.points >= seconds else f"{60 * self.points / seconds:.0f}/min",
            f"{electrons / self._area:.3g} e-/Å²" if self._area else f"{electrons:.3g} e-",
        ]
        if 0 < self._done < 1:
            figures.append(f"{_clock(seconds * (1 - self._done) / self._done)} left")
        if self._policy:
            figures.append(self._policy)
        if self._left_out:
            figures.append(f"{self._left_out} left out")
        if not isnan(self._distortion):
            figures.append(f"~{100 * self._distortion:.2g}% wrong")
        return figures


def _bar(done: float, width: int) -> Text:
    filled = int(width * done)
    return Text.assemble(("━" * filled, "cyan"), ("━" * (width - filled), "bright_black"), " ")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
