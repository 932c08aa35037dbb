"""How wrong a map still is, as far as its posterior tells."""

import numpy as np

from daisy_bluesky.sampling._dose_field import DoseField

SPREAD = 4.0
FEW_PIXELS = 5


def remaining_doubt(field: DoseField) -> tuple[float, float, float]:
    """Return (estimate, low, high) of the total distortion inside the region of interest, fractions of its pixels.

    The mean probability of another phase than the leading one, a factor of `SPREAD` either way, and a few pixels.
    """
    doubt = float((1.0 - field.belief.max(axis=2))[field.inside].clip(0.0).mean())
    few = FEW_PIXELS / np.count_nonzero(field.inside)
    return doubt, max(doubt / SPREAD - few, 0.0), min(SPREAD * doubt + few, 1.0)
