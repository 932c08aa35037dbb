"""What registers the frames of a series while they arrive."""

from daisy_bluesky.callbacks import FrameSum
from daisy_bluesky.devices import HAADFDetector
from daisy_bluesky.plans._series import Series
from daisy_bluesky.storage import replay

SMALLEST = 16  # pixels along each axis that registration needs


def watching_sum(series: Series, register: bool, frame_sum: FrameSum | None) -> FrameSum | None:
    """Return what registers a series, with the frames of earlier runs taken in; None where nothing does.

    Raises
    ------
    ValueError
        Frames have no image or are too small.
    """
    if not register:
        return None
    names = ", ".join(detector.name for detector in series.detectors)
    if not any(isinstance(detector, HAADFDetector) for detector in series.detectors):
        raise ValueError(f"detectors: none of [{names}] gives an image to register by; add haadf, or register=False")
    if min(series.places.shape) < SMALLEST:
        raise ValueError(
            f"pixel_size: frames of {series.places.shape} pixels are too small to register, {SMALLEST} x {SMALLEST} "
            "are needed; choose smaller pixels, a larger region, or register=False"
        )
    watching = FrameSum(spectra=False) if frame_sum is None else frame_sum
    for folder in series.earlier.folders if series.real else ():
        for name, document in replay(folder):
            watching(name, document)
    return watching
