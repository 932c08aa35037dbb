"""Re-drives a stored run and compares every decision with the one that was taken."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daisy_bluesky.callbacks._next_probe import NextProbe
from daisy_bluesky.callbacks._recommender import make_recommender
from daisy_bluesky.callbacks._stored import Document, drive, stored_models

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
    compared, differences = 0, []
    for name, document in replay(uid):
        if name == "descriptor" and document["name"] == "decisions":
            decisions.add(document["uid"])
        if name == "event" and document["descriptor"] in decisions:
            compared += 1
            if difference := _difference(recommender, document["data"]):
                differences.append(f"decision {document['seq_num']}: {difference}")
        else:
            recommender(name, document)  # type: ignore[arg-type]
    return DecisionCheck(compared, len(differences), differences[0] if differences else "", recommender)


def _difference(recommender: NextProbe, stored: Mapping[str, Any]) -> str:
    decision = recommender.decide()
    for key in COMPARED:
        now, then = float(getattr(decision, key)), stored[key]
        then = float("nan") if then is None else float(then)
        if now != then and not (math.isnan(now) and math.isnan(then)):
            return f"{key} was {then:g}, is {now:g}"
    return ""
