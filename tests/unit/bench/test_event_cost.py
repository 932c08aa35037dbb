import time

import numpy as np
import pytest
from bluesky import Msg

from daisy_bluesky.bench._engine import event_cost, new_engine
from daisy_bluesky.plans._record import Record

WORK = 0.004


def work(seconds):
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def plan(events, stream_of):
    record = Record("value", "a test")
    record.put({"value": 1.0})
    yield Msg("open_run")
    for event in range(events):
        work(WORK)
        yield Msg("create", None, name=stream_of(event))
        yield Msg("read", record)
        yield Msg("save")
    yield Msg("close_run")


@pytest.fixture
def engine():
    with new_engine() as engine:
        yield engine


def test_the_cost_of_an_event_is_the_cpu_time_between_events(engine):
    cost = event_cost(engine, plan(20, lambda _event: "primary"))
    assert WORK < cost.mean < WORK + 0.004
    assert WORK < cost.median < WORK + 0.004
    assert cost.process >= cost.mean * 0.999


def test_other_streams_belong_to_the_events_they_follow(engine):
    cost = event_cost(engine, plan(20, lambda event: ("primary", "decisions")[event % 2]))
    assert 2 * WORK < cost.median < 2 * WORK + 0.006


def test_waiting_costs_nothing(engine):
    def waiting():
        for message in plan(10, lambda _event: "primary"):
            yield message
            if message.command == "save":
                yield Msg("sleep", None, 0.02)

    assert event_cost(engine, waiting()).median < WORK + 0.004


def test_an_engine_ends_with_its_context():
    with new_engine() as engine:
        assert engine._th.is_alive()
    assert not engine._th.is_alive()
    assert engine.loop.is_closed()
    assert np.isfinite(engine.loop.time())
