"""Ctrl-C while a command measures: the run is closed and the beam blanked before the command ends."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def abort_on_interrupt(engine: Any, tell: Callable[[str], object]) -> Iterator[None]:
    """Let the first Ctrl-C abort the plan; for ``RunEngine.context_managers``.

    Parameters
    ----------
    engine : RunEngine
        The engine that runs the plan. On a command line nobody could resume a plan that is merely paused.
    tell : callable
        Called with what is going on.
    """
    from bluesky.utils import TransitionError  # type: ignore[attr-defined]

    asked: list[threading.Thread] = []

    def abort() -> None:
        tell("closing the run")
        with contextlib.suppress(TransitionError):  # the plan has just come to its end
            engine.abort("interrupted by the user")

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if not asked:
            # a thread, because the engine waits in this very one
            asked.append(threading.Thread(target=abort, name="abort", daemon=True))
            asked[0].start()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        for thread in asked:
            thread.join()
        signal.signal(signal.SIGINT, before)
