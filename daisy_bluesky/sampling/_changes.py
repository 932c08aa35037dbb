"""Samples that change together: lists and labels one after the other, scores and summaries once for all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import Summary
from daisy_bluesky.sampling._regression import Regression
from daisy_bluesky.sampling._surprise import take_note
from daisy_bluesky.sampling._update import finish, set_sample

# label: sample of the pixel from now on, 0 none. closed: never a candidate from now on. noted: counts as a surprise, or
#     as none.
CHANGE = np.dtype(
    [("row", np.int32), ("column", np.int32), ("label", np.int16), ("closed", np.bool_), ("noted", np.bool_)],
    align=True,
)


@compiled
def measure_all(
    pixels: NDArray[Any],
    summary: Summary,
    queue: NDArray[np.int32],
    regression: Regression,
    changes: NDArray[Any],
    tally: NDArray[np.float64],
) -> int:
    """Change samples, and update what depends on them, as if they came one by one.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date before and after.
    summary : Summary
        Of its tiles and blocks.
    queue : (pixels,) int32
        To write to.
    regression : Regression
        What was learned.
    changes : (n,) CHANGE
        In their order.
    tally : (2, 2) float64
        Surprises met and expected; kept.

    Returns
    -------
    int
        How many more samples there are than before.
    """
    count, more = 0, 0
    for change in changes:
        row, column, label = change.row, change.column, int(change.label)
        if change.noted:
            take_note(pixels, row, column, label, regression, tally)
        before = int(pixels[row, column].sample)
        more += int(label != 0) - int(before != 0)
        count = set_sample(pixels, summary, queue, row, column, label, change.closed, count)
        # Lists that lose a neighbour reach further than the summaries say until these are renewed.
        if label == 0 and before != 0:
            finish(pixels, summary, queue[:count], regression)
            count = 0
    finish(pixels, summary, queue[:count], regression)
    return more


@compiled
def put_all(pixels: NDArray[Any], changes: NDArray[Any]) -> int:
    """Change samples and nothing that depends on them; return how many more there are than before."""
    more = 0
    for change in changes:
        pixel = pixels[change.row, change.column]
        more += int(change.label != 0) - int(pixel.sample != 0)
        pixel.sample = change.label
        pixel.closed = change.closed
    return more
