"""The demonstration's classifier, trained in a process of its own."""

import subprocess
import sys
from pathlib import Path

from daisy_bluesky.storage import interrupts_deferred


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
    # -P: no module is taken from the working directory; a process group of its own: Ctrl-C is for this process alone
    program = (sys.executable, "-P", "-m", "daisy_bluesky.cli._training_process")
    process = None
    try:
        with interrupts_deferred():  # half begun, nobody could end it
            process = subprocess.Popen(  # noqa: S603 - this package itself
                [*program, *map(str, (*shape, counts, seed, folder))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
        name, said = process.communicate()
    finally:
        if process is not None:
            process.kill()
    if process.returncode:
        said = said.strip()
        reason = said.splitlines()[-1] if said else f"its process ended with code {process.returncode}"
        error = ChildProcessError(f"the classifier could not be trained: {reason}")
        error.add_note(said)
        raise error
    return folder / name
