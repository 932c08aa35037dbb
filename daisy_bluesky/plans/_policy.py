"""Which policy decides where the electrons go: the cost of a visit says, unless the user does."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bluesky import plan_stubs as bps
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.sampling import VisitCost

POLICIES = ("slads", "dose")
ASKED_FOR = "asked for"
SHORTEST_PART = 20


def chosen_policy(given: Mapping[str, Any], dwell_time: float | None, told: Mapping[str, float]) -> dict[str, Any]:
    """Return the policy and its cost model as the ``recommender`` entry of a start document has them.

    Parameters
    ----------
    given : mapping of str to Any
        ``policy``: what the user asks for, None for what the cost of a visit says (see `_by_cost`);
        ``cost``: arguments of `daisy_bluesky.sampling.VisitCost`, in place of what the devices tell;
        ``dwell_time``: how long a visit is to last; ``classifier``: its file.
    dwell_time : float or None
        What one visit measures, s, where the detectors tell.
    told : mapping of str to float
        What the devices tell of the cost of a visit, s: see `told_costs`.

    Returns
    -------
    dict
        ``policy`` and ``policy_reason``, and for ``"dose"`` ``cost`` and ``dwell_time``, that of one visit.

    Raises
    ------
    ValueError
        No such policy, no such cost, a dwell time that is not positive, or phases that are not known beforehand.
    """
    policy, classifier = given["policy"], given["classifier"]
    if policy is not None and policy not in POLICIES:
        raise ValueError(f"policy: {policy!r} is not one of {', '.join(POLICIES)}")
    if dwell_time is not None and not dwell_time > 0:
        raise ValueError(f"dwell_time: {dwell_time} s is not positive")
    model = _cost({**told, **_mapping(given["cost"])}, dwell_time)
    reason = ASKED_FOR
    if policy is None:
        policy, reason = _by_what_is_known(given, told) or _by_cost(model, dwell_time)
    if policy == "slads":
        return {"policy": policy, "policy_reason": reason}
    if classifier is None:
        raise ValueError("policy: dose weighs spectra against phases known beforehand; give a classifier")
    if dwell_time is None:
        raise ValueError("policy: dose shares out dwell time, and these detectors have none; give dwell_time")
    if model.minimum_dwell > dwell_time:
        raise ValueError(
            f"policy: dose shares out {dwell_time:g} s a visit, but the shortest is {model.minimum_dwell:g} s; "
            "give a longer dwell_time, or policy='slads'"
        )
    return {"policy": policy, "policy_reason": reason, "cost": asdict(model), "dwell_time": dwell_time}


def _by_what_is_known(given: Mapping[str, Any], told: Mapping[str, float]) -> tuple[str, str] | None:
    """Return one visit a pixel, and why, where it does not come down to the cost of a visit; else None."""
    if given["classifier"] is None:
        return "slads", "no classifier, so phases are found out one spectrum after the other"
    if given["cost"] is not None:
        return None
    if given["dwell_time"] is not None:
        return "slads", f"dwell_time says how long each visit lasts, {given['dwell_time']:g} s"
    if "minimum_dwell" not in told:
        return "slads", "neither cost nor detectors tell how short a visit may be"
    return None


def _by_cost(model: VisitCost, dwell_time: float | None) -> tuple[str, str]:
    """Return the policy that the cost of a visit speaks for, and why.

    One visit a pixel where dwell times cannot be set; where the overhead of a visit is more than what it measures; and
    where detectors cannot do anything much shorter than a visit anyway.
    """
    if dwell_time is None:
        return "slads", "the detectors have no dwell time to share out"
    least = f"a visit of {dwell_time:g} s costs {model.overhead:g} s beside, the shortest is {model.minimum_dwell:g} s"
    if model.overhead <= dwell_time and 2 * model.minimum_dwell <= dwell_time:
        return "dose", f"{least}, so many short visits pay"
    return "slads", f"{least}, so one visit a pixel pays"


def _mapping(cost: Any) -> Mapping[str, Any]:
    if cost is not None and not isinstance(cost, Mapping):
        raise ValueError(f"cost: {cost!r} is no dictionary; give one, such as {{'settling': 0.001}}")
    return cost or {}


def told_costs(detectors: Sequence[Readable[Any]], probe: Any) -> dict[str, float]:
    """Return what devices tell of the cost of a visit, s, as arguments of `VisitCost`: the slowest detector counts.

    Attributes ``minimum_dwell`` and ``read_out_time`` of the detectors, ``settle_time`` and ``fly_back_time`` of the
    probe; those that are missing are left out.
    """
    asked = (
        ("minimum_dwell", "minimum_dwell", detectors),
        ("read_out", "read_out_time", detectors),
        ("settling", "settle_time", [probe]),
        ("fly_back", "fly_back_time", [probe]),
    )
    told = {}
    for name, attribute, devices in asked:
        values = [value for device in devices if (value := getattr(device, attribute, None)) is not None]
        if values:
            told[name] = max(float(value) for value in values)
    return told


def _cost(given: dict[str, Any], dwell_time: float | None) -> VisitCost:
    if dwell_time is not None:
        given.setdefault("minimum_dwell", dwell_time / SHORTEST_PART)
    if unknown := given.keys() - VisitCost.__dataclass_fields__.keys():
        raise ValueError(
            f"cost: no cost is named {', '.join(sorted(map(str, unknown)))}; see daisy_bluesky.sampling.VisitCost"
        )
    try:
        return VisitCost(**given)
    except ValueError as error:
        raise ValueError(f"cost: {error}") from None


def dwell_times(detectors: Sequence[Readable[Any]]) -> dict[Any, float]:
    """Return the dwell time, s, by the signal that holds it, of every detector that has one."""
    signals = [signal for detector in detectors if (signal := getattr(detector, "dwell_time", None)) is not None]
    return {signal: float(signal.get()) for signal in signals}


def restore_dwell_times(times: Mapping[Any, float]) -> MsgGenerator[None]:
    """Set dwell times back to what they were."""
    for signal, dwell_time in times.items():
        yield from bps.abs_set(signal, dwell_time, wait=True)
