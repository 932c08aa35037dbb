"""Actions at given moments of a real clock."""

import heapq
import itertools
import threading
from collections.abc import Callable

from daisy_bluesky.protocols import Clock


class Timer:
    """Runs actions at given moments, in one thread that lives while there is something to wait for.

    Parameters
    ----------
    clock : Clock
        A real clock: its seconds pass at the pace of the wall.
    name : str
        Name of the thread.
    linger : float
        How long the thread waits for more when nothing is left, s.
    """

    def __init__(self, clock: Clock, name: str, linger: float = 1.0) -> None:
        self._clock = clock
        self._name = name
        self._linger = linger
        self._changed = threading.Condition()
        self._actions: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running = False

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Run `action` once the clock shows `moment`, s; it must not raise and should be brief."""
        with self._changed:
            heapq.heappush(self._actions, (moment, next(self._order), action))
            self._changed.notify()
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next action that is due; None when the thread should end."""
        with self._changed:
            while True:
                if not self._actions:
                    if not self._changed.wait(self._linger) and not self._actions:
                        self._running = False
                        return None
                    continue
                wait = self._actions[0][0] - self._clock.now()
                if wait <= 0:
                    return heapq.heappop(self._actions)[2]
                self._changed.wait(wait)
