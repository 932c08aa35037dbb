"""What the jobs of the command line share: run a plan, wait for tiled, say where everything is."""

import logging
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bluesky.utils import MsgGenerator, RunEngineInterrupted
from rich.console import Console

from daisy_bluesky.callbacks import ProgressReporter
from daisy_bluesky.cli._interruption import abort_on_interrupt
from daisy_bluesky.cli._program import program
from daisy_bluesky.config import Settings
from daisy_bluesky.report import (
    BreakEven,
    MapOutcome,
    RunSummary,
    figures_table,
    outcome_table,
    read_run,
    verdict,
)
from daisy_bluesky.session import Session
from daisy_bluesky.storage import find_run, replay

UPLOAD_TIMEOUT = 120.0


@dataclass(frozen=True)
class Measured:
    """A run that has been measured, uploaded and read back from tiled.

    Attributes
    ----------
    uid : str
        The run.
    summary : RunSummary
        What tiled holds of it.
    stored_bytes : int
        Bytes of the LBJ file of its spectra.
    """

    uid: str
    summary: RunSummary
    stored_bytes: int


def measure(session: Session, plan: MsgGenerator[str | None], console: Console) -> Measured:
    """Run a plan with a progress bar, wait until tiled has it, and read it back from there.

    Raises
    ------
    KeyboardInterrupt
        The user pressed Ctrl-C; the run is closed and kept.
    TimeoutError
        tiled did not take the run; the journal keeps it.
    """
    progress = ProgressReporter(console)
    tell = partial(console.print, highlight=False, soft_wrap=True)
    session.RE.context_managers = [partial(abort_on_interrupt, tell=tell)]
    logging.getLogger("bluesky").setLevel(logging.CRITICAL)  # a plan that fails is told of once, in one line
    try:
        session.journal.subscribe(progress)  # hears of the end of a run even where a full disk takes no word of it
        session.RE(plan)
    except RunEngineInterrupted:
        tell(_left(session, progress))
        tell("uploading what there is to tiled; another Ctrl-C leaves that to the next start")
        session.close()
        raise KeyboardInterrupt from None
    uid = progress.uid
    with console.status("uploading to tiled"):
        if not session.uploader.settle(UPLOAD_TIMEOUT) or uid in session.uploader.status.failed:
            raise TimeoutError(f"{session.uploader.status.error}; its journal is kept, and the next start uploads it")
        summary = read_run(replay(session.catalog[uid]))
    payloads = sum(
        path.stat().st_size for path in find_run(uid, session.settings.journal_directory).glob("primary-*.lbj")
    )
    return Measured(uid, summary, payloads)


def _left(session: Session, progress: ProgressReporter) -> str:
    beam = "blanked" if session.beam.blanked.get() else "NOT BLANKED"
    run = f"run {progress.uid} is closed and keeps its {progress.points} points" if progress.uid else "no run was begun"
    return f"the beam is {beam}, {run}"


def print_outcomes(
    console: Console, run: Measured, outcomes: Sequence[MapOutcome], even: BreakEven | None = None
) -> None:
    """Print tables and verdict."""
    console.print(outcome_table(outcomes))
    console.print(figures_table(run.summary, run.stored_bytes))
    for line in verdict(outcomes[0], outcomes[1:], even):
        console.print(line, highlight=False)


def print_way_back(console: Console, run: Measured, data: Path) -> None:
    """Print the lines that open the run, ready to be typed where the command was."""
    profiles = data.absolute() / "tiled" / "profiles"
    folder = "" if data == Settings.model_fields["data"].default else f"DAISY_DATA={shlex.quote(str(data.absolute()))} "
    console.print("\nTo open the run in IPython:", highlight=False)
    for line in (
        f"    TILED_PROFILES={shlex.quote(str(profiles))} {program('ipython')}",
        "    from tiled.client import from_profile",
        f'    run = from_profile("daisy")["raw"]["{run.uid}"]',
        '    run["primary"].read()',
        f"and to decide it all again:  {folder}{program('daisy-bluesky')} replay {run.uid[:8]}",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_picture(console: Console, report: Path) -> None:
    """Print where the picture is."""
    console.print(f"{report} is the picture", highlight=False, markup=False, soft_wrap=True)
