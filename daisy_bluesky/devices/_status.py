"""What the devices return: statuses that say in their representation what went wrong."""

from collections.abc import Callable

from ophyd.status import Status


class FinishedStatus:
    """What a simulated device returns: already done, well or badly, at the cost of one small object.

    It obeys `bluesky.protocols.Status`; an ophyd status of the same meaning costs thirty times more per call.

    Parameters
    ----------
    error : Exception, optional
        Why the action failed; without one it succeeded.
    """

    __slots__ = ("_error",)
    done = True

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    @property
    def success(self) -> bool:
        """Whether the action succeeded."""
        return self._error is None

    def add_callback(self, callback: Callable[["FinishedStatus"], None]) -> None:
        """Call `callback` with this status, at once."""
        callback(self)

    def exception(self, timeout: float | None = 0.0) -> Exception | None:  # noqa: ARG002 - nothing to wait for
        """Return why the action failed, or None."""
        return self._error

    def wait(self, timeout: float | None = None) -> None:  # noqa: ARG002 - nothing to wait for
        """Return at once.

        Raises
        ------
        Exception
            What made the action fail.
        """
        if self._error is not None:
            raise self._error

    def __repr__(self) -> str:
        return "FinishedStatus()" if self._error is None else f"FinishedStatus(error={self._error!r})"


class ExposureStatus(Status):
    """An ophyd status that finishes later; the RunEngine shows its representation when it fails."""

    def __repr__(self) -> str:
        state = "done" if self.done else "waiting"
        return f"ExposureStatus({state})" if self._exception is None else f"ExposureStatus(error={self._exception!r})"

    __str__ = __repr__
