"""A whole frame in one message."""

from typing import Any

from bluesky import Msg
from bluesky.utils import FailedStatus, MsgGenerator

from daisy_bluesky.devices import DoseLimitExceeded, FrameScan

SCANNING = "scanning a frame"


def expose_frame(scan: FrameScan) -> MsgGenerator[dict[str, Any]]:
    """Scan a frame and return its values by data key.

    There are none where a limit of the beam was met, which `scan` then tells, and where no RunEngine does it, as in a
    summary.
    """
    yield Msg("checkpoint")
    try:  # a scan that is refused at once may be told at either message
        yield Msg("trigger", scan, group=SCANNING)
        yield Msg("wait", None, group=SCANNING)
        reading = yield Msg("read", scan)
    except (FailedStatus, DoseLimitExceeded):
        if scan.limit is None:
            raise
        return {}
    return {key: entry["value"] for key, entry in (reading or {}).items()}
