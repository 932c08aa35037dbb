"""The survey image of a map: read from a file, or measured first with the HAADF detector in one fast frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from daisy_bluesky.devices import DoseLimitExceeded, FrameScan, HAADFDetector, ProbePositioner
from daisy_bluesky.plans._frame import expose_frame
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.sampling import Survey

ACQUIRE = "acquire"
STREAM = "survey"
DWELL_TIME = 1e-5
"""Of a pixel of a frame, s."""


@dataclass(frozen=True)
class SurveyImage:
    """An image of the field that was there before the map."""

    image: NDArray[np.float32]

    def keep(self) -> MsgGenerator[DoseLimitExceeded | None]:
        """Store the image with the run; nothing is exposed, so no limit is met."""
        yield from _save(self.image, {f"{STREAM}_{name}": 0.0 for name in ("charge", "dwell_time", "time", "seconds")})
        return None


@dataclass(frozen=True)
class SurveyFrame:
    """A frame measured before the map.

    Attributes
    ----------
    scan : FrameScan
        What measures it.
    key : str
        Data key of its image.
    """

    scan: FrameScan
    key: str

    def keep(self) -> MsgGenerator[DoseLimitExceeded | None]:
        """Measure the frame and store it with the run; return the limit of the beam that was met on the way."""
        spent = yield from expose_frame(self.scan)
        if spent:
            image = spent.pop(self.key)
            yield from _save(image.astype(np.float32), spent)
        return self.scan.limit


def checked_survey(
    survey: str | None,
    configuration: Mapping[str, Any],
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    timeout: float,
    *,
    vetoed: bool,
) -> SurveyImage | SurveyFrame | None:
    """Return where the survey image of a map comes from, None for a map without.

    Raises
    ------
    ValueError
        The policy heeds none, the file is unreadable or its image has another shape than the map, the devices cannot
        measure one, or a frame would expose pixels that are vetoed.
    """
    if survey is None:
        return None
    if not isinstance(survey, str):
        raise ValueError(f"survey: {survey!r} is neither 'acquire' nor the path of an image".replace("\n", " "))
    if configuration["policy"] == "objectives":
        raise ValueError("survey: objectives heed no survey image; leave survey or objectives out")
    shape = tuple(configuration["shape"])
    if survey != ACQUIRE:
        return SurveyImage(_read(survey, shape))
    if vetoed:
        raise ValueError("survey: 'acquire' would expose the pixels that steering vetoes; give the path of an image")
    haadf = next((detector for detector in detectors if isinstance(detector, HAADFDetector)), None)
    if haadf is None:
        names = ", ".join(cast(Any, detector).name for detector in detectors)
        raise ValueError(f"survey: none of [{names}] is a HAADF detector; add haadf, or give the path of an image")
    if not isinstance(probe, ProbePositioner):
        name = cast(Any, probe).name
        raise ValueError(f"survey: {name} is no ProbePositioner and scans no frames; give the path of an image")
    scan = FrameScan([haadf], probe, shape=shape, dwell_time=DWELL_TIME, timeout=timeout, name=STREAM)
    return SurveyFrame(scan, f"{haadf.name}_image")


def _read(path: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    survey = Survey.load(path)
    survey.check_shape((shape[0], shape[1]))
    return survey.image.astype(np.float32)


def _save(image: NDArray[np.float32], spent: Mapping[str, float]) -> MsgGenerator[None]:
    record = Record(STREAM, "recommender")
    record.put({f"{STREAM}_image": image, **spent})
    yield from save(record)
