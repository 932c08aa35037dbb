"""What an adaptive map does between the beginning of its run and the end."""

from dataclasses import dataclass

import numpy as np
from bluesky.utils import MsgGenerator

from daisy_bluesky.devices import FrameScan, ListScan
from daisy_bluesky.plans._asking import limit_reason, measure_batches, measure_each
from daisy_bluesky.plans._first_frame import scan_frame
from daisy_bluesky.plans._page_validation import quick_page_validation
from daisy_bluesky.plans._preparation import Preparation
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.plans._steering import Steering, steer
from daisy_bluesky.plans._stopping import StoppingRule
from daisy_bluesky.plans._survey import SurveyFrame, SurveyImage
from daisy_bluesky.plans._visit import Visit


@dataclass(frozen=True)
class MapRun:
    """The parts of an adaptive map: models, survey image, first frame, visits and result.

    Attributes
    ----------
    preparation : Preparation
        The recommender and its models.
    measuring : Visit or ListScan
        What measures: position by position, or lists of them.
    rule : StoppingRule
        When it is enough.
    steering : Steering
        Where the operator says what else is wanted.
    survey : SurveyImage or SurveyFrame or None
        Where a survey image comes from.
    frame : FrameScan or None
        What does the first visit to every pixel, where that is one frame.
    """

    preparation: Preparation
    measuring: Visit | ListScan
    rule: StoppingRule
    steering: Steering
    survey: SurveyImage | SurveyFrame | None
    frame: FrameScan | None

    @property
    def scans(self) -> list[ListScan | FrameScan]:
        """Devices of its own, to be staged with the others."""
        first = self.survey.scan if isinstance(self.survey, SurveyFrame) else None
        return [scan for scan in (first, self.frame, self.measuring) if isinstance(scan, ListScan | FrameScan)]

    def messages(self) -> MsgGenerator[str | None]:
        """Return the plan of the open run; it returns why the map has ended."""
        yield from self._keep_models()
        reason = yield from self._look_first()
        if reason is not None:
            return reason
        reason = yield from self._measure()
        yield from self._keep_result()
        return reason

    def _look_first(self) -> MsgGenerator[str | None]:
        yield from steer(self.steering)
        if self.survey is not None:
            limit = yield from self.survey.keep()
            if limit is not None:
                return limit_reason(limit)
        if self.frame is not None and not self.steering.vetoes:
            limit = yield from scan_frame(self.frame)
            if limit is not None:
                return limit_reason(limit)
        return None

    def _measure(self) -> MsgGenerator[str | None]:
        recommender = self.preparation.recommender
        if isinstance(self.measuring, Visit):
            return (yield from measure_each(recommender, self.measuring, self.rule, self.steering))
        size = self.preparation.configuration["batch"]
        with quick_page_validation():
            return (yield from measure_batches(recommender, self.measuring, self.rule, size, self.steering))

    def _keep_models(self) -> MsgGenerator[None]:
        models = Record("models", "recommender")
        models.put({name: np.frombuffer(blob, dtype=np.uint8) for name, blob in self.preparation.models.items()})
        yield from save(models)

    def _keep_result(self) -> MsgGenerator[None]:
        result = Record("result", "recommender")
        result.put(self.preparation.recommender.result())
        yield from save(result)
