"""What a series will take, before anything is allocated."""

import numpy as np

from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_options import SeriesOptions
from daisy_bluesky.mfsi._spectrum_sum_exposure import require_memory

IMAGE_BYTES = 16  # of an output pixel: sum and exposure
EXPOSURE_BYTES = 8
MAP_BYTES = 24  # net counts, variance, picture
VALUE_BYTES = 4  # of a summed energy-loss channel


def require_series_memory(frames: SeriesFrames, options: SeriesOptions) -> None:
    """Refuse a series whose sums would exceed the memory limit.

    What X-ray events take is known only when they are read, 16 bytes each; their sums look after it themselves.

    Raises
    ------
    MemoryError
        If they would.
    """
    rows, columns = np.shape(np.asarray(frames.images[0]))[:2]
    pixels = rows * columns * options.upsample**2
    each = IMAGE_BYTES
    if frames.events is not None:
        each += EXPOSURE_BYTES + MAP_BYTES * len(options.lines)
    if frames.spectra is not None and frames.eels_axis is not None:
        each += EXPOSURE_BYTES + MAP_BYTES * len(options.edges) + VALUE_BYTES * frames.eels_axis.channels
    require_memory(f"the result upsampled {options.upsample} times", pixels * each, options.memory_limit)
