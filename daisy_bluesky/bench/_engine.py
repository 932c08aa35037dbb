"""RunEngines that leave nothing behind, and the CPU time of what runs in them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time, thread_time
from typing import Any

import numpy as np
from bluesky import RunEngine
from bluesky.utils import MsgGenerator

PATIENCE = 5.0


@contextmanager
def new_engine() -> Iterator[RunEngine]:
    """Give a RunEngine without subscribers; its thread and loop end with the context."""
    engine = RunEngine({})
    try:
        yield engine
    finally:
        engine.loop.call_soon_threadsafe(engine.loop.stop)
        engine._th.join(PATIENCE)
        engine.loop.close()


@dataclass(frozen=True)
class EventCost:
    """CPU time of one event of a loop, s.

    Attributes
    ----------
    mean, median : float
        Of the thread in which the RunEngine runs the plan, its devices and its callbacks.
    process : float
        Mean of the whole process: the journal's fsync and the upload run in threads of their own.
    """

    mean: float
    median: float
    process: float


def event_cost(engine: RunEngine, plan: MsgGenerator[Any]) -> EventCost:
    """Run a plan and measure the CPU time from each event of stream ``primary`` to the next.

    The events of a page share the time from the page before evenly.
    """
    marks: list[tuple[float, float, float]] = []
    engine(plan, _marker(marks))
    clocks = np.array(marks)
    thread, process = np.repeat(np.diff(clocks[:, :2], axis=0) / clocks[1:, 2:], clocks[1:, 2].astype(int), axis=0).T
    return EventCost(float(thread.mean()), float(np.median(thread)), float(process.mean()))


def _marker(marks: list[tuple[float, float, float]]) -> Callable[[str, Mapping[str, Any]], None]:
    streams: set[str] = set()

    def mark(name: str, document: Mapping[str, Any]) -> None:
        if name == "descriptor" and document["name"] == "primary":
            streams.add(document["uid"])
        elif name in ("event", "event_page") and document["descriptor"] in streams:
            marks.append((thread_time(), process_time(), float(np.size(document["seq_num"]))))

    return mark
