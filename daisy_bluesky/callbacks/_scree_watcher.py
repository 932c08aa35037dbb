"""Information content against dose, while the frames of a series arrive."""

import logging
from collections.abc import Callable, Mapping
from math import isqrt, nan
from typing import Any, cast

from daisy_bluesky.callbacks._frame_sum import FrameSum
from daisy_bluesky.mfsi import InformationContent, Scree, SpectrumSum

_log = logging.getLogger(__name__)


class ScreeWatcher:
    """Looks, when 1, 4, 9, ... frames have been summed, at how many components stand out of the noise.

    Subscribe it after the `FrameSum` that it looks at.

    Parameters
    ----------
    frame_sum : FrameSum
        What sums EDS spectra, not upsampled; `multiframe_map` has it as its `frame_sum`, too.
    area : int
        Which area to look at.
    at : callable, optional
        Whether to look after so many frames; at square numbers when not given.

    Attributes
    ----------
    screes : list of Scree
        One for each number of frames looked at.

    Raises
    ------
    ValueError
        If the sum is upsampled, or sums no spectra.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Results 4 and Figure 5.
    """

    def __init__(self, frame_sum: FrameSum, *, area: int = 0, at: Callable[[int], bool] | None = None) -> None:
        if frame_sum.upsample != 1:
            raise ValueError(f"upsample: the sum is upsampled {frame_sum.upsample} times; watch one that is not")
        if not frame_sum.spectra_wanted:
            raise ValueError("spectra: the sum leaves them out; watch one with spectra=True")
        self.screes: list[Scree] = []
        self._sum, self._area = frame_sum, area
        self._at = _is_square if at is None else at
        self._content: InformationContent | None = None
        self._done: set[int] = set()
        self._dose, self._key = nan, ""

    def __call__(self, name: str, document: Mapping[str, Any]) -> None:
        """Take in what the sum has gained.

        Raises
        ------
        ValueError
            If the series that begins has no X-rays.
        """
        if name == "start":
            self._begin(document.get("multiframe", {}))
        elif self._key and name in ("event", "event_page", "stop"):
            self._look()
            if name == "stop" and not self._done:
                _log.warning("no frames to look at: give the sum to multiframe_map as its frame_sum")

    @property
    def ranks(self) -> dict[int, int]:
        """How many components stood out, by number of frames."""
        return {scree.frames: scree.rank for scree in self.screes}

    @property
    def doses(self) -> list[float]:
        """Dose of each of the sums looked at, e-/A^2."""
        return [scree.frames * self._dose for scree in self.screes]

    def _begin(self, series: Mapping[str, Any]) -> None:
        self._content, self._done, self.screes = None, set(), []
        self._dose = float(series.get("doses", {}).get("dose_per_frame", nan))
        counted = [key for key, axis in series.get("spectra", {}).items() if axis["unit"] == "keV"]
        if series and not counted:
            raise ValueError("spectra: only counted X-rays have an information content; watch a series with eds")
        self._key = counted[0] if counted else ""

    def _look(self) -> None:
        if self._area not in self._sum.areas:
            return
        total = cast(SpectrumSum, self._sum.spectra(self._area, self._key))
        new = [frame for frame in total.frames if frame not in self._done]
        if not new:
            return
        if self._content is None:
            self._content = InformationContent(total.shape, total.channels)
        self._content.add(total.events(frames=new), frames=len(new))
        self._done.update(new)
        if self._at(len(self._done)):
            self.screes.append(self._content.scree())


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number
