"""What registers the frames of a series while they arrive."""

from dataclasses import dataclass

from daisy_bluesky.callbacks import FrameSum, RegisteredFrame
from daisy_bluesky.devices import HAADFDetector
from daisy_bluesky.plans._series import Series
from daisy_bluesky.storage import replay

SMALLEST = 16  # pixels along each axis that registration needs


@dataclass(frozen=True)
class Watching:
    """What registers a series, and what earlier runs have left to be stored.

    Attributes
    ----------
    frame_sum : FrameSum
        Has the frames of earlier runs.
    unstored : list of RegisteredFrame
        Those of them that a dying process had no time to store.
    """

    frame_sum: FrameSum
    unstored: list[RegisteredFrame]


def watching_series(series: Series, frame_sum: FrameSum | None, *, registration: bool) -> Watching | None:
    """Return what registers a series, with the frames of earlier runs taken in; None where nothing does.

    Raises
    ------
    ValueError
        Frames have no image or are too small.
    """
    if frame_sum is not None and not isinstance(frame_sum, FrameSum):
        raise ValueError(f"frame_sum: {frame_sum!r} sums no frames; give a FrameSum")
    if frame_sum is not None and not registration:
        raise ValueError("registration: frame_sum registers the frames that it sums; leave one of the two out")
    if not registration:
        return None
    names = ", ".join(detector.name for detector in series.detectors)
    if not any(isinstance(detector, HAADFDetector) for detector in series.detectors):
        raise ValueError(f"detectors: none of [{names}] gives images to register by; add haadf, or registration=False")
    if min(series.places.shape) < SMALLEST:
        raise ValueError(
            f"pixel_size: frames of {series.places.shape} pixels are too small to register, {SMALLEST} x {SMALLEST} "
            "are needed; choose smaller pixels, a larger region, or registration=False"
        )
    frame_sum = FrameSum(spectra=False) if frame_sum is None else frame_sum
    stored: set[int] = set()
    for folder in series.earlier.folders if series.real else ():
        for name, document in replay(folder):
            frame_sum(name, document)
            if name == "event" and "coefficients" in document["data"]:
                stored.add(int(document["data"]["frame_number"]))
    unstored = [frame for frame in frame_sum.registered if frame.number not in stored] if series.earlier.folders else []
    return Watching(frame_sum, unstored)
