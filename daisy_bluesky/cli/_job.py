"""What the jobs of the command line share: run a plan, wait for tiled, say where everything is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bluesky.utils import MsgGenerator
from rich.console import Console

from daisy_bluesky.callbacks import ProgressReporter
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


def check_arguments(fraction: float, counts: float, report: Path) -> None:
    """Refuse what cannot work before anything is prepared.

    Raises
    ------
    ValueError
        A number is out of range, or the picture cannot be written.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction: {fraction} is not in (0, 1]")
    if not counts > 0:
        raise ValueError(f"counts: {counts} is not positive")
    if not report.resolve().parent.is_dir():
        raise ValueError(f"report: there is no folder {report.resolve().parent}; create it first")


def measure(session: Session, plan: MsgGenerator[str | None], console: Console) -> Measured:
    """Run a plan with a progress bar, wait until tiled has it, and read it back from there."""
    progress = ProgressReporter(console)
    uids: Any = session.RE(plan, cast(Any, progress))
    uid = str(uids[0])
    with console.status("uploading to tiled"):
        if not session.uploader.flush(UPLOAD_TIMEOUT):
            raise TimeoutError(f"tiled has not caught up: {session.uploader.status}; the journal holds the run")
    summary = read_run(replay(session.catalog[uid]))
    payloads = sum(
        path.stat().st_size for path in find_run(uid, session.settings.journal_directory).glob("primary-*.lbj")
    )
    return Measured(uid, summary, payloads)


def conclude(
    console: Console,
    run: Measured,
    outcomes: Sequence[MapOutcome],
    even: BreakEven | None,
    settings_data: Path,
    report: Path,
) -> None:
    """Print tables, verdict and the way back to the run."""
    console.print(outcome_table(outcomes))
    console.print(figures_table(run.summary, run.stored_bytes))
    for line in verdict(outcomes[0], outcomes[1:], even):
        console.print(line, highlight=False)
    profiles = settings_data.absolute() / "tiled" / "profiles"
    console.print(f"\n[bold]{report}[/] is the picture. To open the run in IPython:", highlight=False)
    for line in (
        f"    TILED_PROFILES={profiles} ipython",
        "    from tiled.client import from_profile",
        f'    run = from_profile("daisy")["raw"]["{run.uid}"]',
        '    run["primary"].read()',
        f"and to decide it all again:  daisy-bluesky replay {run.uid[:8]}",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
