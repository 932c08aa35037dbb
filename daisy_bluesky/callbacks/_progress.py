"""A live line in the terminal: points, rate, dose spent, time left, estimated quality."""

from time import monotonic
from typing import Any

from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, RunStart, RunStop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.constants import elementary_charge

REDRAW_INTERVAL = 0.2
ANGSTROM_PER_NM = 10.0


class ProgressReporter(DocumentRouter):
    """Shows how a map is getting on; redrawn at most five times a second, so that it costs the loop nothing.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to draw; the terminal when not given. Nothing is drawn where there is no terminal, but the last state.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or Console()
        self._progress: Progress | None = None
        self._task: Any = None
        self._streams: dict[str, str] = {}
        self._area = 0.0
        self._points = 0
        self._charge = 0.0
        self._distortion = float("nan")
        self._began = self._drawn = 0.0

    def start(self, doc: RunStart) -> None:
        """Begin a bar as long as the run."""
        self.close()
        total = int(doc.get("num_points", 0)) or None  # type: ignore[call-overload]
        shape, pixel_size = doc.get("shape"), doc.get("pixel_size")
        self._area = shape[0] * shape[1] * (pixel_size * ANGSTROM_PER_NM) ** 2 if shape and pixel_size else 0.0  # type: ignore[index,operator]
        self._streams.clear()
        self._points, self._charge, self._distortion = 0, 0.0, float("nan")
        self._began = self._drawn = monotonic()
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.0f} points/s"),
            TextColumn("{task.fields[dose]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[quality]}"),
            console=self._console,
        )
        name = str(doc.get("plan_name", "run"))
        self._task = self._progress.add_task(name, total=total, rate=0.0, dose="", quality="")
        self._progress.start()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note which stream is which."""
        self._streams[doc["uid"]] = doc["name"]

    def event(self, doc: Event) -> Event:
        """Count a point, or note the estimated quality a decision came with."""
        stream = self._streams.get(doc["descriptor"])
        if stream == "primary":
            self._points = int(doc["seq_num"])
            self._charge += float(doc["data"].get("beam_charge", 0.0))
            if monotonic() - self._drawn >= REDRAW_INTERVAL:
                self._draw()
        elif stream == "decisions":
            self._distortion = doc["data"]["remaining_distortion"]
        return doc

    def stop(self, doc: RunStop) -> None:  # noqa: ARG002
        """Draw the last state and end the bar."""
        self._draw()
        self.close()

    def close(self) -> None:
        """End the bar, also that of a run that never stopped."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _draw(self) -> None:
        if self._progress is None:
            return
        self._drawn = monotonic()
        electrons = self._charge * 1e-12 / elementary_charge
        self._progress.update(
            self._task,
            completed=self._points,
            rate=self._points / max(self._drawn - self._began, 1e-9),
            dose=f"{electrons / self._area:.3g} e-/Å²" if self._area else f"{electrons:.3g} e-",
            quality="" if self._distortion != self._distortion else f"~{100 * self._distortion:.2f}% wrong",
        )
