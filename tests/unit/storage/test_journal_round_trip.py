"""Whatever a run brings, the journal gives it back."""

import math
import tempfile
from pathlib import Path

import event_model
import numpy as np
import pytest
from document_streams import NamedDocument, journalled, last_wins, normalised
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daisy_bluesky.storage import final_events, inline, read_journal

LIST_FIELDS = [("row", "<u2"), ("column", "<u2"), ("channel", "<u2")]
COUNTED_FIELDS = [*LIST_FIELDS, ("count", "<u4")]
FRAME = (3, 4, 50)
KEYS = {
    "number": ({"dtype": "number", "shape": [], "dtype_numpy": "<f8"}, st.floats(allow_nan=True, allow_infinity=True)),
    "untyped": ({"dtype": "number", "shape": []}, st.floats(allow_nan=True) | st.floats(width=32).map(np.float32)),
    "integer": ({"dtype": "integer", "shape": [], "dtype_numpy": "<i8"}, st.integers(-(2**53), 2**53).map(np.int64)),
    "text": ({"dtype": "string", "shape": []}, st.text(max_size=5)),
    "flag": ({"dtype": "boolean", "shape": []}, st.booleans()),
    "short": ({"dtype": "array", "shape": [3], "dtype_numpy": "<f8"}, hnp.arrays(np.float64, 3)),
    "names": (
        {"dtype": "array", "shape": [20], "dtype_numpy": "<U3"},
        st.lists(st.text(max_size=3), min_size=20, max_size=20),
    ),
    "ragged": ({"dtype": "array", "shape": [None]}, st.lists(st.integers(0, 9), max_size=30)),
    "counts": ({"dtype": "array", "shape": [40], "dtype_numpy": "<u4"}, hnp.arrays(np.uint32, 40)),
    "listed_counts": ({"dtype": "array", "shape": [17]}, st.lists(st.integers(0, 99), min_size=17, max_size=17)),
    "signed": ({"dtype": "array", "shape": [4, 5], "dtype_numpy": "<i2"}, hnp.arrays(np.int16, (4, 5))),
    "floats": (
        {"dtype": "array", "shape": [18], "dtype_numpy": "<f4"},
        hnp.arrays(np.float32, 18, elements=st.floats(width=32, allow_infinity=False)),
    ),
    "events": (
        {"dtype": "array", "shape": list(FRAME), "dtype_numpy": [list(field) for field in LIST_FIELDS]},
        hnp.arrays(np.int64, st.tuples(st.integers(0, 30)), elements=st.integers(0, math.prod(FRAME) - 1)),
    ),
    "counted": (
        {"dtype": "array", "shape": list(FRAME), "dtype_numpy": [list(field) for field in COUNTED_FIELDS]},
        st.sets(st.integers(0, math.prod(FRAME) - 1), max_size=20).map(lambda places: np.array(sorted(places), int)),
    ),
}


def event_list(key: str, places: np.ndarray) -> np.ndarray:
    """Events at flat places of the frame, sorted, as the journal gives them back."""
    listed = np.empty(places.size, COUNTED_FIELDS if key == "counted" else LIST_FIELDS)
    listed["row"], listed["column"], listed["channel"] = np.unravel_index(np.sort(places), FRAME)
    if key == "counted":
        listed["count"] = np.sort(places) % 7 + 1
    return listed


@st.composite
def runs(draw: st.DrawFn) -> list[NamedDocument]:
    run = event_model.compose_run(metadata={"sample": "K412", "shape": (4, 4), "bias": np.float32(2.5)})
    documents: list[NamedDocument] = [("start", run.start_doc)]
    for stream in draw(st.lists(st.sampled_from(["primary", "a-b", "frames/1", "décisions"]), unique=True, max_size=3)):
        names = draw(st.lists(st.sampled_from(sorted(KEYS)), unique=True, min_size=1, max_size=4))
        data_keys = {name: {**KEYS[name][0], "source": "test"} for name in names}
        descriptor = run.compose_descriptor(name=stream, data_keys=data_keys)
        documents.append(("descriptor", descriptor.descriptor_doc))
        seq_num = 1
        for _ in range(draw(st.integers(0, 4))):
            data = {name: draw(KEYS[name][1]) for name in names}
            data |= {name: event_list(name, data[name]) for name in ("events", "counted") if name in names}
            stamps = dict.fromkeys(names, 1.0)
            event = descriptor.compose_event(data=data, timestamps=stamps, seq_num=seq_num, validate=False)
            documents.append(("event", event))
            seq_num = draw(st.integers(max(1, seq_num - 2), seq_num)) if draw(st.booleans()) else seq_num + 1
    documents.append(("stop", run.compose_stop()))
    return documents


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_the_final_documents_come_back_with_payloads_inline(documents):
    with tempfile.TemporaryDirectory() as directory:
        folder = journalled(Path(directory), documents)
        assert normalised(inline(final_events(folder))) == normalised(last_wins(documents))


def test_nan_and_infinity_come_back_as_floats(tmp_path):
    run = event_model.compose_run()
    key = {"dtype": "number", "shape": [], "source": "test"}
    array = {"dtype": "array", "shape": [3], "dtype_numpy": "<f8", "source": "test"}
    descriptor = run.compose_descriptor(name="primary", data_keys={"a": key, "b": key, "c": key, "d": array})
    data = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": np.array([1.0, math.nan, -math.inf])}
    event = descriptor.compose_event(data=data, timestamps=dict.fromkeys(data, 1.0))
    folder = journalled(
        tmp_path, [("start", run.start_doc), ("descriptor", descriptor.descriptor_doc), ("event", event)]
    )
    read = next(document for name, document in read_journal(folder) if name == "event")["data"]
    assert math.isnan(read["a"])
    assert (read["b"], read["c"]) == (math.inf, -math.inf)
    np.testing.assert_array_equal(read["d"], data["d"])


def test_event_pages_keep_their_payloads(tmp_path):
    run = event_model.compose_run()
    key = {"dtype": "array", "shape": [20], "dtype_numpy": "<u4", "source": "test"}
    descriptor = run.compose_descriptor(name="primary", data_keys={"counts": key})
    spectra = np.arange(60, dtype=np.uint32).reshape(3, 20)
    page = descriptor.compose_event_page(
        data={"counts": list(spectra)}, timestamps={"counts": [1.0, 2.0, 3.0]}, seq_num=[1, 2, 3], validate=False
    )
    documents = [("start", run.start_doc), ("descriptor", descriptor.descriptor_doc), ("event_page", page)]
    folder = journalled(tmp_path, [*documents, ("stop", run.compose_stop())])
    slim = next(document for name, document in read_journal(folder) if name == "event_page")
    assert slim["data"] == {}
    full = next(document for name, document in inline(read_journal(folder)) if name == "event_page")
    np.testing.assert_array_equal(full["data"]["counts"], spectra)


def test_documents_of_detectors_with_their_own_files_pass_untouched(tmp_path):
    run = event_model.compose_run()
    key = {"dtype": "array", "shape": [64, 64], "dtype_numpy": "<u2", "external": "STREAM:", "source": "test"}
    descriptor = run.compose_descriptor(name="primary", data_keys={"camera": key})
    resource = run.compose_stream_resource(
        mimetype="application/x-hdf5",
        uri="file://localhost/data/camera.h5",
        data_key="camera",
        parameters={"dataset": "/d"},
    )
    datum = resource.compose_stream_datum(
        indices={"start": 0, "stop": 1}, seq_nums={"start": 1, "stop": 2}, descriptor=descriptor.descriptor_doc
    )
    documents = [
        ("start", run.start_doc),
        ("descriptor", descriptor.descriptor_doc),
        ("stream_resource", resource.stream_resource_doc),
        ("stream_datum", datum),
        ("stop", run.compose_stop()),
    ]
    folder = journalled(tmp_path, documents)
    assert normalised(read_journal(folder)) == normalised(documents) == normalised(inline(read_journal(folder)))


@pytest.mark.parametrize(
    ("data_key", "value", "message"),
    [
        ({"dtype": "array", "shape": [20], "dtype_numpy": "<u4"}, np.zeros(21, np.uint32), "shape"),
        ({"dtype": "array", "shape": [20], "dtype_numpy": "<u4"}, np.full(20, 0.5), "float64"),
        ({"dtype": "array", "shape": [None], "dtype_numpy": [["row", "<u2"]]}, np.zeros(3), "dense shape"),
    ],
)
def test_a_payload_that_is_not_as_declared_is_refused_in_one_line(tmp_path, data_key, value, message):
    run = event_model.compose_run()
    descriptor = run.compose_descriptor(name="primary", data_keys={"counts": {**data_key, "source": "test"}})
    event = descriptor.compose_event(data={"counts": value}, timestamps={"counts": 1.0}, validate=False)
    with pytest.raises(ValueError, match=message) as caught:
        journalled(tmp_path, [("start", run.start_doc), ("descriptor", descriptor.descriptor_doc), ("event", event)])
    assert "\n" not in str(caught.value)


def test_what_json_cannot_say_is_refused_in_one_line(tmp_path):
    run = event_model.compose_run(metadata={"sample": object()}, validate=False)
    with pytest.raises(ValueError, match="start document cannot be written as JSON"):
        journalled(tmp_path, [("start", run.start_doc)])
