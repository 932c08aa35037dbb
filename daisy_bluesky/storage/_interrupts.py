"""Holding back Ctrl-C where it would do harm."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let a Ctrl-C that comes in the block take effect at its end.

    A tiled server inside the process that is interrupted while it starts or stops waits for itself for ever.
    """
    if threading.current_thread() is not threading.main_thread():  # Ctrl-C does not reach the others
        yield
        return
    asked = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if asked.is_set():
            signal.raise_signal(signal.SIGINT)
