"""A first visit to every pixel as one fast frame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bluesky import Msg
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.devices import BeamDetector, DoseLimitExceeded, FrameScan, ProbePositioner
from daisy_bluesky.plans._frame import expose_frame
from daisy_bluesky.plans._preparation import Preparation
from daisy_bluesky.plans._stopping import StoppingRule

STREAM = "frame"


def first_frame(
    preparation: Preparation, detectors: Sequence[Readable[Any]], probe: Any, rule: StoppingRule, timeout: float
) -> FrameScan | None:
    """Return the scan that does the first visits of a new map, where they are one visit of the same to every pixel.

    None where they are not, where the frame alone would be more than is to be spent, and where other devices than
    those of one beam measure.
    """
    recommender = preparation.recommender
    rows, columns = recommender.policy.shape
    devices = [detector for detector in detectors if isinstance(detector, BeamDetector)]
    if rule.dwell is None or preparation.continues or len(devices) < len(detectors):
        return None
    if not isinstance(probe, ProbePositioner):
        return None
    visits = recommender.suggest(rows * columns)
    if len(visits) < rows * columns or np.ptp(visits["dwell"]) > 0 or visits["dwell"].sum() > rule.dwell:
        return None
    return FrameScan(
        devices, probe, shape=(rows, columns), dwell_time=float(visits["dwell"][0]), timeout=timeout, name=STREAM
    )


def scan_frame(scan: FrameScan) -> MsgGenerator[DoseLimitExceeded | None]:
    """Scan the frame and save its event; return the limit of the beam that was met on the way."""
    yield from expose_frame(scan)
    if scan.limit is not None:
        return scan.limit
    yield Msg("create", None, name=STREAM)
    yield Msg("read", scan)
    yield Msg("save")
    yield Msg("checkpoint")
    return None
