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
        self._area = 0.0
        self._charge = 0.0
        self._distortion = float("nan")
        self._policy = ""
        self._unit, self._left_out = "points", 0
        self._began = self._drawn = 0.0

    def start(self, doc: RunStart) -> None:
        """Begin a line for the run."""
        self.uid = doc["uid"]
        self.points, self._charge, self._distortion = 0, 0.0, float("nan")
        told = cast(Mapping[str, Any], doc)
        self._total = int(told.get("num_points", 0))
        self._policy = str(told.get("recommender", {}).get("policy", ""))
        shape, pixel_size = told.get("shape"), told.get("pixel_size")
        self._area = shape[0] * shape[1] * (pixel_size * ANGSTROM_PER_NM) ** 2 if shape and pixel_size else 0.0
        frames = told.get("multiframe")
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
            self.points = int(doc["seq_num"])
            if self._console.is_terminal and monotonic() - self._drawn >= REDRAW_INTERVAL:
                self._draw(end="\r")
        elif stream == "decisions":
            self._distortion = float(doc["data"]["remaining_distortion"])
        elif stream == "registration":
            self._left_out += bool(doc["data"]["excluded"])
        return doc

    def stop(self, doc: RunStop) -> None:  # noqa: ARG002
        """Draw the last state and end the line."""
        self._draw(end="\n")

    def _draw(self, end: str) -> None:
        self._drawn = monotonic()
        # a terminal that is written into its last column goes on to the next line
        room = self._console.width - 1
        line = _bar(self.points, self._total, min(LONGEST_BAR, max(SHORTEST_BAR, room - ROOM_FOR_FIGURES)))
        line.append("  ".join(self._figures()))
        line.truncate(room, pad=self._console.is_terminal)
        self._console.print(line, end=end, soft_wrap=True)

    def _figures(self) -> list[str]:
        seconds = max(self._drawn - self._began, 1e-9)
        electrons = self._charge * 1e-12 / elementary_charge
        figures = [
            f"{self.points}/{self._total} {self._unit}" if self._total else f"{self.points} {self._unit}",
            f"{self.points / seconds:.0f}/s" if self.points >= seconds else f"{60 * self.points / seconds:.0f}/min",
            f"{electrons / self._area:.3g} e-/Å²" if self._area else f"{electrons:.3g} e-",
        ]
        if 0 < self.points < self._total:
            figures.append(f"{_clock(seconds * (self._total - self.points) / self.points)} left")
        if self._policy:
            figures.append(self._policy)
        if self._left_out:
            figures.append(f"{self._left_out} left out")
        if not isnan(self._distortion):
            figures.append(f"~{100 * self._distortion:.2g}% wrong")
        return figures


def _bar(done: int, total: int, width: int) -> Text:
    if not total:
        return Text()
    filled = width * min(done, total) // total
    return Text.assemble(("━" * filled, "cyan"), ("━" * (width - filled), "bright_black"), " ")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
