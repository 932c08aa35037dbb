"""What the beam does, whichever clock it lives by."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bluesky.protocols import Status

from daisy_bluesky.devices._account import DoseAccount
from daisy_bluesky.protocols import Exposure, Instrument


class Exposed(Protocol):
    """A detector as the beam knows it."""

    @property
    def name(self) -> str:
        """Name of the device, for messages."""
        ...

    @property
    def instrument_key(self) -> str:
        """What the instrument calls the detector."""
        ...

    def receive(self, values: Mapping[str, Any], timestamp: float) -> None:
        """Take in what the detector measured; `timestamp` in seconds of the epoch."""
        ...


@dataclass(eq=False)
class OpenExposure:
    """One unblanking of the beam, for as long as detectors may join it."""

    number: int
    row: float
    column: float
    visit: int
    current: float
    start: float
    seconds: float = 0.0
    end: float = 0.0
    begun: bool = False
    detectors: list[Exposed] = field(default_factory=list)

    @property
    def pixel(self) -> tuple[int, int]:
        """The nearest pixel, (row, column)."""
        return math.floor(self.row + 0.5), math.floor(self.column + 0.5)

    @property
    def charge(self) -> float:
        """Charge of the exposure so far, pC."""
        return self.seconds * self.current

    def window(self, start: float, dwell: float) -> Exposure:
        """Return the exposure as a detector sees it that integrates for `dwell` seconds from `start`."""
        return Exposure(self.number, self.row, self.column, start, dwell, self.current, self.visit)


class Exposer(ABC):
    """Blanks, places and exposes; the two kinds of clock do it in their own ways.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    account : DoseAccount
        Where every exposure is booked.
    timeout : float
        Longest wait for a detector after its exposure has ended, s.

    Attributes
    ----------
    expected : set of Exposed
        The detectors that take part in every exposure: those staged.
    """

    def __init__(self, instrument: Instrument, account: DoseAccount, timeout: float) -> None:
        self.instrument = instrument
        self.account = account
        self.timeout = timeout
        self.position = (0.0, 0.0)
        self.latest: OpenExposure | None = None
        self.blanked = False
        self.expected: set[Exposed] = set()
        self._open: OpenExposure | None = None
        self.exposures = 0
        self.blank()

    def blank(self) -> None:
        """Take the beam off the specimen."""
        self.instrument.blank()
        self.blanked = True

    def unblank(self) -> None:
        """Let the beam onto the specimen."""
        self.blanked = False
        self.instrument.unblank()

    @abstractmethod
    def expose(self, detector: Exposed, dwell: float, current: float) -> Status:
        """Expose for `detector`, in the open exposure where it is not in it already."""

    @abstractmethod
    def place(self, row: float, column: float, settle_time: float) -> Status:
        """Move the probe and let it settle; the next trigger starts a new exposure."""

    @abstractmethod
    def finish(self) -> None:
        """Let the open exposure and its read-outs come to their end, and blank."""

    @abstractmethod
    def hold(self) -> None:
        """Let what has begun come to its end, and blank; what has not begun waits for `resume`."""

    @abstractmethod
    def resume(self) -> None:
        """Go on with what `hold` has held."""

    @abstractmethod
    def await_detector(self, detector: Exposed) -> None:
        """Wait until a detector has been read out."""

    @abstractmethod
    def interrupt(self) -> None:
        """End the open exposure now, and blank."""

    def _begin(self, dwell: float, current: float) -> OpenExposure:
        """Return an exposure within the limits that nothing has been booked for yet."""
        row, column = self.position
        exposure = OpenExposure(self.exposures + 1, row, column, 0, current, self.instrument.clock.now())
        self.account.check(exposure.pixel, dwell * current)
        exposure.visit = self.account.visits.item(exposure.pixel)
        return exposure

    def _commit(self, exposure: OpenExposure) -> None:
        """Count the exposure: the beam is about to reach the specimen."""
        self.exposures = exposure.number
        self.account.visits[exposure.pixel] += 1
        self.latest = self._open = exposure

    def _book(self, exposure: OpenExposure, seconds: float) -> None:
        """Book unblanked seconds on an exposure."""
        exposure.seconds += seconds
        self.account.add(exposure.pixel, seconds, exposure.current)


def late(detector: Exposed, timeout: float) -> TimeoutError:
    """Return the error for a detector that has not been read out in time."""
    return TimeoutError(f"{detector.name}: not read out within {timeout:g} s after the exposure; check the detector")
