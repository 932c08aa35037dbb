"""Which policy decides where the electrons go: the cost of a visit says, unless the user does."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bluesky import plan_stubs as bps
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.sampling import VisitCost

POLICIES = ("slads", "dose")
SHORTEST_PART = 20


def chosen_policy(given: Mapping[str, Any], dwell_time: float | None) -> dict[str, Any]:
    """Return the policy and its cost model as the ``recommender`` entry of a start document has them.

    Parameters
    ----------
    given : mapping of str to Any
        ``policy``: what the user asks for, None for ``"dose"`` where the cost of a visit is known, its overhead is no
        more than what one visit measures, and the phases are known beforehand, else ``"slads"``;
        ``cost``: arguments of `daisy_bluesky.sampling.VisitCost`, None for a twentieth of the dwell time at least;
        ``classifier``: its file.
    dwell_time : float or None
        What one visit measures, s, where the detectors tell.

    Returns
    -------
    dict
        ``policy``, and for ``"dose"`` ``cost`` and ``dwell_time``, that of one visit.

    Raises
    ------
    ValueError
        No such policy, no such cost, a dwell time that is not positive, or phases that are not known beforehand.
    """
    policy, cost, classifier = given["policy"], given["cost"], given["classifier"]
    if policy is not None and policy not in POLICIES:
        raise ValueError(f"policy: {policy!r} is not one of {', '.join(POLICIES)}")
    if dwell_time is not None and not dwell_time > 0:
        raise ValueError(f"dwell_time: {dwell_time} s is not positive")
    model = _cost(cost, dwell_time)
    if policy is None:
        known = cost is not None and classifier is not None and dwell_time is not None
        policy = "dose" if known and model.overhead <= (dwell_time or 0.0) else "slads"
    if policy == "slads":
        return {"policy": policy}
    if classifier is None:
        raise ValueError("policy: dose weighs spectra against phases known beforehand; give a classifier")
    if dwell_time is None:
        raise ValueError("policy: dose shares out dwell time, and these detectors have none; give dwell_time")
    return {"policy": policy, "cost": asdict(model), "dwell_time": dwell_time}


def _cost(cost: Mapping[str, Any] | None, dwell_time: float | None) -> VisitCost:
    given = dict(cost or {})
    if dwell_time is not None:
        given.setdefault("minimum_dwell", dwell_time / SHORTEST_PART)
    if unknown := given.keys() - VisitCost.__dataclass_fields__.keys():
        raise ValueError(f"cost: no cost is named {', '.join(sorted(unknown))}; see daisy_bluesky.sampling.VisitCost")
    return VisitCost(**given)


def dwell_times(detectors: Sequence[Readable[Any]]) -> dict[Any, float]:
    """Return the dwell time, s, by the signal that holds it, of every detector that has one."""
    signals = [signal for detector in detectors if (signal := getattr(detector, "dwell_time", None)) is not None]
    return {signal: float(signal.get()) for signal in signals}


def restore_dwell_times(times: Mapping[Any, float]) -> MsgGenerator[None]:
    """Set dwell times back to what they were."""
    for signal, dwell_time in times.items():
        yield from bps.abs_set(signal, dwell_time, wait=True)
