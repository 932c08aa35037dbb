"""The loop of an adaptive map: measure, ask, record the answer; after every event, or after every batch of them."""

from collections.abc import Sequence

import numpy as np
from bluesky import Msg
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from daisy_bluesky.callbacks import Decision, NextProbe
from daisy_bluesky.devices import VISIT, DoseLimitExceeded, ListScan
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.plans._record_page import RecordPage
from daisy_bluesky.plans._steering import Steering, steer
from daisy_bluesky.plans._stopping import StoppingRule
from daisy_bluesky.plans._visit import Visit

NOTHING_LEFT = "nothing left to measure"
SCANNING = "scanning"


def measure_each(recommender: NextProbe, visit: Visit, rule: StoppingRule, steering: Steering) -> MsgGenerator[str]:
    """Visit one position after the other, asking after every event; return why the map has ended."""
    decisions = Record("decisions", "recommender")
    measured = recommender.visits
    yield from steer(steering)
    decision = recommender.decide()
    while (reason := rule.reason(recommender, measured)) is None and decision:
        try:
            exposed = yield from visit(decision.row, decision.column, decision.dwell)
        except DoseLimitExceeded as limit:
            return limit_reason(limit)
        measured += 1
        if exposed:
            _check_heard(recommender, measured)
        yield from steer(steering)
        decision = recommender.decide()
        decisions.put(vars(decision))
        yield from save(decisions)
    return reason or NOTHING_LEFT


def measure_batches(
    recommender: NextProbe, scan: ListScan, rule: StoppingRule, batch: int, steering: Steering
) -> MsgGenerator[str]:
    """Visit positions by the list, asking after every list; return why the map has ended."""
    decisions = RecordPage("decisions", "recommender")
    yield Msg("declare_stream", None, scan, name="primary", collect=True)
    measured, saved = recommender.visits, False
    yield from steer(steering)
    yield Msg("checkpoint")
    targets = recommender.decide_batch(batch)
    while (reason := rule.reason(recommender, measured)) is None and targets[0]:
        visits = _visits(targets, rule.left(measured))
        exposed = yield from _scan(scan, visits)
        if exposed and scan.limit is None:
            _check_heard(recommender, measured + len(visits))
        heard = recommender.visits - measured if exposed else len(visits)
        measured += heard
        yield from steer(steering)
        targets = recommender.decide_batch(batch)
        if heard:
            ended = scan.limit is not None or rule.reason(recommender, measured) is not None
            decisions.put_rows([vars(target) for target in (targets[:heard] if ended else targets)])
            yield from _save_page(decisions, declare=not saved)
            saved = True
        if scan.limit is not None:
            return limit_reason(scan.limit)
    return reason or NOTHING_LEFT


def _visits(targets: Sequence[Decision], most: int | None) -> NDArray[np.void]:
    rows = [(target.row, target.column, target.dwell) for target in targets if target]
    return np.array(rows[:most], VISIT)


def _scan(scan: ListScan, visits: NDArray[np.void]) -> MsgGenerator[bool]:
    """Scan a list and collect its events; return False where no RunEngine does it, as in a summary."""
    try:
        finished = yield from _run(scan, visits)
    except Exception:
        yield _collect(scan, "primary")
        raise
    yield _collect(scan, "primary")
    return finished


def _run(scan: ListScan, visits: NDArray[np.void]) -> MsgGenerator[bool]:
    yield Msg("prepare", scan, visits, group=SCANNING)
    yield Msg("kickoff", scan, group=SCANNING)
    try:
        return (yield from _await(scan))
    except Exception:
        yield Msg("stop", scan)
        raise


def _await(scan: ListScan) -> MsgGenerator[bool]:
    status = None
    waiting = True
    while waiting:  # a pause cuts the waiting short, not the scan
        status = yield Msg("complete", scan, group=SCANNING)
        yield Msg("wait", None, group=SCANNING)
        waiting = status is not None and not status.done
    return status is not None


def _collect(source: ListScan | RecordPage, stream: str) -> Msg:
    return Msg("collect", source, return_payload=False, name=stream)


def _save_page(decisions: RecordPage, *, declare: bool) -> MsgGenerator[None]:
    if declare:
        yield Msg("declare_stream", None, decisions, name=decisions.name, collect=True)
    yield _collect(decisions, decisions.name)
    yield Msg("checkpoint")


def _check_heard(recommender: NextProbe, measured: int) -> None:
    if recommender.visits != measured:
        raise RuntimeError("an event was saved but did not reach the recommender; another subscriber raised before it")


def limit_reason(limit: DoseLimitExceeded) -> str:
    """Return why a map has ended that met a limit of the beam."""
    return f"limit of the beam: {limit}"
