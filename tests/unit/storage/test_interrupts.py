import signal
import threading

import pytest

from daisy_bluesky.storage import interrupts_deferred


def test_ctrl_c_takes_effect_at_the_end_of_the_block():
    reached = []

    def interrupt():
        with interrupts_deferred():
            with interrupts_deferred():
                signal.raise_signal(signal.SIGINT)
                reached.append("inner")
            reached.append("outer")
        reached.append("after")

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert reached == ["inner", "outer"]


def test_what_was_to_happen_on_ctrl_c_before_happens_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with interrupts_deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_other_threads_may_use_it():
    reached = []

    def work():
        with interrupts_deferred():
            reached.append("block")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert reached == ["block"]
