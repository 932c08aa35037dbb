import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def heeded_interrupts():
    """Ctrl-C means what it means in Python, even where a shell in the background lets its children ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
