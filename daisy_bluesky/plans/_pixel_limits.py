"""How long each pixel of a map may be exposed, as the beam's account and the specimen allow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Readable

from daisy_bluesky.plans._grid import shared_beam


def dwell_limits(detectors: Sequence[Readable[Any]], shape: Sequence[int]) -> bytes | None:
    """Return the longest dwell time that is left to each pixel, (rows, columns) float64, s, as bytes.

    None where the detectors hold no beam, or nothing limits it.
    """
    beam = shared_beam(detectors)
    if beam is None:
        return None
    room = beam.room[: shape[0], : shape[1]]
    return None if np.isinf(room).all() else np.ascontiguousarray(room, np.float64).tobytes()
