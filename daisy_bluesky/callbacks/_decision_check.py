"""Re-drives a stored run and compares every decision with the one that was taken."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daisy_bluesky.callbacks._next_probe import Decision, NextProbe
from daisy_bluesky.callbacks._recommender import make_recommender
from daisy_bluesky.callbacks._stored import Document, as_asked, drive, stored_models

COMPARED = ("row", "column", "dwell", "expected_reduction", "visit", "found", "relabelled", "phases")


@dataclass(frozen=True)
class DecisionCheck:
    """What the comparison found.

    Attributes
    ----------
    decisions : int
        Number of decisions compared.
    different : int
        How many of them came out otherwise.
    first : str
        The first difference in words; empty when there is none.
    recommender : NextProbe
        The recommender at the end of the run.
    """

    decisions: int
    different: int
    first: str
    recommender: NextProbe


def check_decisions(replay: Callable[[str], Iterable[Document]], uid: str) -> DecisionCheck:
    """Build the recommender from what a run stored, feed it the run's events and compare its decisions.

    Parameters
    ----------
    replay : callable
        Gives the documents of a run, payloads inline, in the order of acquisition, for a uid.
    uid : str
        The run.

    Returns
    -------
    DecisionCheck

    Raises
    ------
    ValueError
        The run is no adaptive map or stored no models.
    """
    start, models = stored_models(replay(uid))
    recommender = make_recommender(start["recommender"], models)
    for earlier in start.get("continues", []):
        drive(recommender, replay(earlier))
    decisions: set[str] = set()
    stored: list[Mapping[str, Any]] = []
    check = _Comparison(recommender, int(start["recommender"].get("batch", 1)))
    for name, document in as_asked(replay(uid)):
        if name == "descriptor" and document["name"] == "decisions":
            decisions.add(document["uid"])
        if name == "event" and document["descriptor"] in decisions:
            stored.append(document)
            continue
        check.compare(stored)
        stored = []
        recommender(name, document)  # type: ignore[arg-type]
    return DecisionCheck(check.compared, len(check.differences), next(iter(check.differences), ""), recommender)


class _Comparison:
    def __init__(self, recommender: NextProbe, batch: int) -> None:
        self._recommender, self._batch = recommender, batch
        self.compared = 0
        self.differences: list[str] = []

    def compare(self, stored: Sequence[Mapping[str, Any]]) -> None:
        """Compare the stored decisions that followed a visit, or a batch of them, with those taken now."""
        if not stored:
            return
        self.compared += len(stored)
        decisions = self._recommender.decide_batch(self._batch)
        for event, decision in zip(stored, decisions, strict=False):
            if difference := _difference(decision, event["data"]):
                self.differences.append(f"decision {event['seq_num']}: {difference}")


def _difference(decision: Decision, stored: Mapping[str, Any]) -> str:
    for key in COMPARED:
        now, then = float(getattr(decision, key)), stored[key]
        then = float("nan") if then is None else float(then)
        if now != then and not (math.isnan(now) and math.isnan(then)):
            return f"{key} was {then:g}, is {now:g}"
    return ""
