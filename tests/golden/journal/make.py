"""Makes the golden run: ``python tests/golden/journal/make.py`` (only when the journal's format gets a new version).

``documents.json`` is what devices emitted; the folder ``a-golden-run`` is the journal of it.
"""

import shutil
from pathlib import Path

import numpy as np
import orjson

from daisy_bluesky.storage import RunJournal

HERE = Path(__file__).parent
UID = "a-golden-run"


def key(dtype, shape, dtype_numpy):
    return {"dtype": dtype, "shape": shape, "dtype_numpy": dtype_numpy, "source": "golden"}


def event(descriptor, seq_num, data, time):
    uid = f"{descriptor}-{seq_num}-{time}"
    stamps = dict.fromkeys(data, time - 0.5)
    return "event", {
        "uid": uid, "descriptor": descriptor, "seq_num": seq_num, "time": time, "data": data, "timestamps": stamps,
    }  # fmt: skip


def descriptor(name, data_keys):
    return "descriptor", {"uid": name, "run_start": UID, "name": name, "time": 1.0, "data_keys": data_keys}


def documents():
    fields = [["row", "<u2"], ["column", "<u2"], ["channel", "<u2"]]
    listed = np.array([(0, 1, 5), (2, 3, 0), (2, 3, 39)], [(name, kind) for name, kind in fields])
    counts = np.arange(40, dtype=np.uint32) % 5
    names = {"probe_row": key("number", [], "<f8"), "eds_spectrum": key("array", [40], "<u4")}
    return [
        ("start", {"uid": UID, "time": 0.0, "plan_name": "adaptive_map", "shape": [4, 4]}),
        descriptor("primary", names | {"eels_spectrum": key("array", [20], "<f4")}),
        descriptor("frames", {"frame": key("array", [3, 4, 40], fields)}),
        event(
            "primary", 1, {"probe_row": 1.5, "eds_spectrum": counts, "eels_spectrum": np.float32(counts[:20] / 3)}, 2.0
        ),
        event("frames", 1, {"frame": listed}, 2.5),
        event(
            "primary", 2, {"probe_row": np.nan, "eds_spectrum": counts + 1, "eels_spectrum": np.zeros(20, "f4")}, 3.0
        ),
        event("primary", 2, {"probe_row": 2.5, "eds_spectrum": counts * 100, "eels_spectrum": np.ones(20, "f4")}, 4.0),
        (
            "stop",
            {"uid": "stop", "run_start": UID, "time": 5.0, "exit_status": "success", "num_events": {"primary": 2}},
        ),
    ]


def main():
    shutil.rmtree(HERE / UID, ignore_errors=True)
    emitted = documents()
    (HERE / "documents.json").write_bytes(
        orjson.dumps(
            emitted, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2, default=lambda value: value.tolist()
        )
    )
    journal = RunJournal(HERE, emitted[0][1])
    for name, document in emitted:
        journal.record(name, document)
    journal.close()
    path = HERE / UID / "documents.jsonl"
    path.write_bytes(path.read_bytes().replace(str(HERE).encode(), b"/data/journal"))


if __name__ == "__main__":
    main()
