"""What is passed on to tiled is what the plain normalizer would make of it."""

import copy

import pytest
from bluesky_tiled_plugins.writing.tiled_writer import RunNormalizer
from event_model import compose_run, unpack_event_page

from daisy_bluesky.storage._normalizer import EventPassingNormalizer


def documents(key, **described):
    """Return a run of one stream with one key: a page of three events, then an event."""
    run = compose_run()
    stream = run.compose_descriptor(
        name="primary", data_keys={key: {"source": "test", "dtype": "number", "shape": [], **described}}
    )
    page = stream.compose_event_page(
        time=[1.0, 2.0, 3.0], data={key: [4.0, 5.0, 6.0]}, timestamps={key: [1.0, 2.0, 3.0]}
    )
    event = stream.compose_event(data={key: 7.0}, timestamps={key: 4.0})
    return [
        ("start", run.start_doc),
        ("descriptor", stream.descriptor_doc),
        ("event_page", page),
        ("event", event),
        ("stop", run.compose_stop()),
    ]


def passed_on(normalizer, stream):
    """Return what comes out, pages event by event."""
    found = []

    def take(name, document):
        if name == "event_page":
            found.extend(("event", dict(event)) for event in unpack_event_page(document))
        else:
            found.append((name, dict(document)))

    normalizer.subscribe(take)
    for name, document in stream:
        normalizer(name, copy.deepcopy(document))
    return found


@pytest.mark.parametrize("key", ["counts", "time", "seq_num"])
def test_events_come_out_as_they_do_from_the_plain_one(key):
    stream = documents(key)
    ours, plain = passed_on(EventPassingNormalizer(), stream), passed_on(RunNormalizer(), stream)
    assert [name for name, _ in ours] == ["start", "descriptor", *["event"] * 4, "stop"]
    for (name, document), (other, wanted) in zip(ours, plain, strict=True):
        assert name == other
        assert {part: document[part] for part in document if part != "filled"} == {
            part: wanted[part] for part in wanted if part != "filled"
        }
