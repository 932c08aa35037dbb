"""The two clocks an instrument can live by."""

import time


class SimulatedClock:
    """Jumps ahead instead of waiting.

    Parameters
    ----------
    start : float
        What the clock shows at first, s.
    """

    simulated = True

    def __init__(self, start: float = 0.0) -> None:
        self._now = float(start)

    def now(self) -> float:
        """Return the simulated seconds since the clock started."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Jump ahead.

        Raises
        ------
        ValueError
            If `seconds` is negative: time does not run backwards.
        """
        if not seconds >= 0:
            raise ValueError(f"seconds: a clock cannot advance by {seconds}")
        self._now += seconds


class WallClock:
    """Shows the seconds since it was made, and waits where time is to pass."""

    simulated = False

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the clock was made."""
        return time.monotonic() - self._start

    def advance(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
