"""One adaptive map in a whole session, in a process of its own, so that its memory can be told.

``python -m daisy_bluesky.bench._session_run REQUEST``, a request as JSON; the answer is the last line of its output.
"""

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from daisy_bluesky.bench._trained import virtual_classifier
from daisy_bluesky.config import load_settings
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.session import start
from daisy_bluesky.specimen import VirtualSpecimen

UPLOAD_TIMEOUT = 300.0
KIBIBYTE = 1024


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes
    ----------
    data : str
        Data folder of the session.
    classifier : str
        File of the classifier.
    train : bool
        Whether this very process trains the classifier first, as the demonstration does.
    shape : tuple of int
        Field of the virtual specimen, (rows, columns), pixels.
    events : int
        Number of visits.
    counts : float
        Mean counts of a spectrum.
    seed : int
        Seed of specimen, noise and start pattern.
    """

    data: str
    classifier: str
    train: bool
    shape: tuple[int, int]
    events: int
    counts: float
    seed: int


@dataclass(frozen=True)
class Answer:
    """What came of it.

    Attributes
    ----------
    uid : str
        The run, complete in tiled.
    peak_memory : int
        Most memory that was resident at any time, bytes.
    memory_before : int
        The same before the run began: libraries, specimen, catalog.
    """

    uid: str
    peak_memory: int
    memory_before: int


def run_session(request: Request) -> Answer:
    """Run a map in a process of its own, and wait until it is in tiled.

    Raises
    ------
    RuntimeError
        The process failed; the error ends with what it said last.
    """
    command = [sys.executable, "-m", __name__, json.dumps(asdict(request))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this very module
    if done.returncode:
        raise RuntimeError(f"the session that was to be measured failed: {done.stderr.strip().splitlines()[-1:]}")
    return Answer(**json.loads(done.stdout.splitlines()[-1]))


def map_in_this_process(request: Request) -> Answer:
    """Run the map here."""
    if request.train:
        virtual_classifier().save(request.classifier)
    rows, columns = request.shape
    specimen = VirtualSpecimen.demo((rows, columns), seed=request.seed)
    settings = load_settings(data=Path(request.data), shape=(rows, columns), seed=request.seed)
    with start(settings=settings, instrument=VirtualInstrument(specimen)) as session:
        before = _peak_memory()
        plan = adaptive_map(
            cast(Any, [session.haadf, session.eds]),
            session.probe,
            dwell_time=specimen.eds_dwell(request.counts, settings.beam.current),
            fraction=request.events / (rows * columns),
            classifier=request.classifier,
            seed=request.seed,
        )
        uids: Any = session.RE(plan)
        if not session.uploader.flush(UPLOAD_TIMEOUT):
            raise TimeoutError(f"tiled has not caught up: {session.uploader.status}")
    return Answer(str(uids[0]), _peak_memory(), before)


def _peak_memory() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it started this process
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    arguments["shape"] = tuple(arguments["shape"])
    sys.stdout.write(json.dumps(asdict(map_in_this_process(Request(**arguments)))) + "\n")
