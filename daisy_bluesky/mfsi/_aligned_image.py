"""The aligned sum of images on a finer grid, and its exposure beside it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT, require_memory
from daisy_bluesky.mfsi._spectrum_sum_positions import checked_upsample

THIN = 0.05  # of the mean exposure, below which a pixel takes its value from around
_WIDENINGS = 4
Array = NDArray[np.float64]


class AlignedSum:
    """A running sum of displaced frames.

    Parameters
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    upsample : int, optional
        Pixels of the sum per pixel of a frame along each axis, 1 to 8.
    memory_limit : int, optional
        Most bytes the sum may take.

    Attributes
    ----------
    total, exposure : (upsample * rows, upsample * columns) float64
        Sum of the frames, and how many of their pixels each pixel stands for.

    Raises
    ------
    ValueError
        If `upsample` is not 1 to 8.
    MemoryError
        If the sum would exceed the limit; nothing is allocated then.
    """

    def __init__(self, shape: tuple[int, int], *, upsample: int = 1, memory_limit: int = MEMORY_LIMIT) -> None:
        upsample = checked_upsample(upsample)
        size = (shape[0] * upsample, shape[1] * upsample)
        require_memory("the aligned image", 16 * size[0] * size[1], memory_limit)
        self.total, self.exposure = np.zeros(size), np.zeros(size)
        self._upsample = upsample

    def add(self, frame: ArrayLike, displacement: Array) -> None:
        """Add a frame, (rows, columns), with its displacement, (rows, columns, 2) px."""
        _spread(np.ascontiguousarray(frame, dtype=np.float64), displacement, self._upsample, self.total, self.exposure)

    def image(self) -> Array:
        """Return the sum over its exposure, or where that is thin a wider neighbourhood's; NaN where there is none."""
        image = np.full(self.total.shape, np.nan)
        thin = THIN * self.exposure[self.exposure > 0].mean() if self.exposure.any() else 0.0
        total, exposure = self.total, self.exposure
        for step in range(_WIDENINGS):
            new = np.isnan(image) & (exposure > thin)
            image[new] = total[new] / exposure[new]
            if not np.isnan(image).any():
                break
            width = 0.25 * self._upsample * (step + 1)
            total, exposure = gaussian_filter(self.total, width), gaussian_filter(self.exposure, width)
        return image


@compiled
def _spread(frame: Array, displacement: Array, upsample: int, total: Array, exposure: Array) -> None:
    """Share each pixel bilinearly among the four pixels of the sum around it."""
    height, width = total.shape
    for r in range(frame.shape[0]):
        for c in range(frame.shape[1]):
            y = (r + displacement[r, c, 0]) * upsample + (upsample - 1) / 2
            x = (c + displacement[r, c, 1]) * upsample + (upsample - 1) / 2
            top, left = int(np.floor(y)), int(np.floor(x))
            for i in range(2):
                for j in range(2):
                    if 0 <= top + i < height and 0 <= left + j < width:
                        weight = abs(1 - i - (y - top)) * abs(1 - j - (x - left))
                        total[top + i, left + j] += weight * frame[r, c]
                        exposure[top + i, left + j] += weight
