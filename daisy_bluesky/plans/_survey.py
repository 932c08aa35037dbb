"""The survey image of a map: read from a file, or measured first with the HAADF detector in one fast frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from bluesky import plan_stubs as bps
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from daisy_bluesky.devices import VISIT, DoseLimitExceeded, HAADFDetector, ListScan
from daisy_bluesky.plans._asking import run_list
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.sampling import Survey

ACQUIRE = "acquire"
DWELL_TIME = 1e-5
"""Of a pixel of a frame, s."""


@dataclass(frozen=True)
class SurveyImage:
    """An image of the field that was there before the map."""

    image: NDArray[np.float32]

    def keep(self) -> MsgGenerator[DoseLimitExceeded | None]:
        """Store the image with the run; nothing is exposed, so no limit is met."""
        yield from _save(self.image, charge=0.0, dwell_time=0.0, began=0.0, seconds=0.0)
        return None


@dataclass(frozen=True)
class SurveyFrame:
    """A frame of the HAADF detector, measured before the map.

    Attributes
    ----------
    haadf : HAADFDetector
        What measures it.
    probe : Movable
        Takes ``(row, column)`` in pixels.
    shape : tuple of int
        Rows and columns of the map.
    timeout : float
        Longest wait for a move or an exposure, s.
    """

    haadf: HAADFDetector
    probe: Movable[Any]
    shape: tuple[int, int]
    timeout: float

    def keep(self) -> MsgGenerator[DoseLimitExceeded | None]:
        """Measure the frame and store it with the run; return the limit of the beam that was met on the way."""
        beam, own = self.haadf.beam, self.haadf.dwell_time.get()
        scan = ListScan([self.haadf], self.probe, [beam], timeout=self.timeout, name="survey_scan")
        before = beam.charge
        exposed = yield from run_list(scan, self._visits())
        yield from bps.abs_set(self.haadf.dwell_time, own, wait=True)
        if scan.limit is not None or not exposed:
            return scan.limit
        readings = [page["data"] for page in scan.collect_pages()]
        image = np.concatenate([page[f"{self.haadf.name}_intensity"] for page in readings]).reshape(self.shape)
        starts = np.concatenate([page[f"{beam.name}_time"] for page in readings])
        yield from _save(
            image.astype(np.float32),
            charge=beam.charge - before,
            dwell_time=DWELL_TIME,
            began=float(starts[0]),
            seconds=float(starts[-1] - starts[0]) + DWELL_TIME,
        )
        return None

    def _visits(self) -> NDArray[np.void]:
        visits = np.empty(self.shape, VISIT)
        visits["row"], visits["column"] = np.indices(self.shape)
        visits["dwell"] = DWELL_TIME
        return visits.ravel()


def checked_survey(
    survey: str | None,
    configuration: Mapping[str, Any],
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    timeout: float,
) -> SurveyImage | SurveyFrame | None:
    """Return where the survey image of a map comes from, None for a map without.

    Raises
    ------
    ValueError
        The policy heeds none, the file is unreadable or its image has another shape than the map, or no detector can
        measure one.
    """
    if survey is None:
        return None
    if configuration["policy"] != "dose":
        raise ValueError("survey: only the policy dose heeds a survey image; give policy='dose' and a classifier")
    shape = tuple(configuration["shape"])
    if survey != ACQUIRE:
        return SurveyImage(_read(survey, shape))
    haadf = next((detector for detector in detectors if isinstance(detector, HAADFDetector)), None)
    if haadf is None:
        names = ", ".join(cast(Any, detector).name for detector in detectors)
        raise ValueError(f"survey: none of [{names}] is a HAADF detector; add haadf, or give the path of an image")
    return SurveyFrame(haadf, probe, shape, timeout)


def _read(path: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if not isinstance(path, str):
        raise ValueError(f"survey: {path!r} is neither 'acquire' nor the path of an image")
    survey = Survey.load(path)
    survey.check_shape((shape[0], shape[1]))
    return survey.image.astype(np.float32)


def _save(
    image: NDArray[np.float32], *, charge: float, dwell_time: float, began: float, seconds: float
) -> MsgGenerator[None]:
    record = Record("survey", "recommender")
    values = {"image": image, "charge": charge, "dwell_time": dwell_time, "time": began, "seconds": seconds}
    record.put({f"survey_{name}": value for name, value in values.items()})
    yield from save(record)
