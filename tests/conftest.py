import signal

import pytest


@pytest.fixture(autouse=True)
def heeded_interrupts():
    """Ctrl-C means what it means in Python, whatever a shell in the background or a command before left it to be."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
