"""The demonstration's classifier, trained in a process of its own."""

import subprocess
import sys
from pathlib import Path


def train_apart(shape: tuple[int, int], counts: float, seed: int, folder: Path) -> Path:
    """Train a classifier for the virtual specimen and return its file.

    What training takes (torch alone is half a gigabyte) is free again before the map begins. Ctrl-C ends the process
    at once.

    Raises
    ------
    ChildProcessError
        The training failed; a note holds what the process said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # -P: no module is taken from the working directory. A process group of its own: Ctrl-C is for this process alone,
    # and `subprocess.run` kills the other one when it is interrupted.
    process = subprocess.run(  # noqa: S603 - this package itself
        [
            *(sys.executable, "-P", "-m", "daisy_bluesky.cli._training_process"),
            *map(str, (*shape, counts, seed, folder)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        process_group=0,
        check=False,
    )
    if process.returncode:
        said = process.stderr.strip()
        reason = said.splitlines()[-1] if said else f"its process ended with code {process.returncode}"
        error = ChildProcessError(f"the classifier could not be trained: {reason}")
        error.add_note(said)
        raise error
    return folder / process.stdout
