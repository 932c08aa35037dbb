"""What lets a scan go from line to line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class FrameStopped(RuntimeError):  # noqa: N818 - it reads as the fact it states
    """A frame was stopped before its last line."""


def stopped(line: int, lines: int) -> FrameStopped:
    """Return the error for a frame that was stopped before one of its lines."""
    return FrameStopped(f"stopped in line {line} of {lines}; scan the frame again")


class LineGate:
    """Opens for one line after the other, unless the scan is paused or has been stopped."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._in_line = threading.Lock()
        self._ended = False

    def begin(self) -> None:
        """Open for a new frame."""
        self._ended = False
        self._open.set()

    def pause(self) -> None:
        """Close, and wait until the line that is passing has passed."""
        self._open.clear()
        with self._in_line:
            return

    def resume(self) -> None:
        """Open again."""
        self._open.set()

    def end(self) -> None:
        """Let no further line pass."""
        self._ended = True
        self._open.set()

    @property
    def ended(self) -> bool:
        """Whether the scan has been stopped."""
        return self._ended

    @contextmanager
    def line(self) -> Iterator[bool]:
        """Wait until the gate is open; while the context lasts, `pause` waits. False after the end."""
        while True:
            self._open.wait()
            with self._in_line:
                if self._open.is_set():
                    yield not self._ended
                    return
