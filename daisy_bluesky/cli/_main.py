"""The commands, and what a user sees when one cannot go on: one line and exit code 2."""

import os
import signal
import sys
import traceback

import typer

from daisy_bluesky import __version__
from daisy_bluesky.cli._bench import bench
from daisy_bluesky.cli._demo import demo
from daisy_bluesky.cli._fault_line import fault_line
from daisy_bluesky.cli._lbj import application as lbj
from daisy_bluesky.cli._mfsi import mfsi
from daisy_bluesky.cli._rehearse import rehearse
from daisy_bluesky.cli._replay import replay
from daisy_bluesky.cli._serve import serve
from daisy_bluesky.cli._train import train

USER_FAULTS = (ValueError, OSError, ImportError, TimeoutError, MemoryError, typer.TyperException)
INTERRUPTED = 130

application = typer.Typer(
    name="daisy-bluesky",
    help="Adaptive spectrum imaging on electron microscopes: as few electrons as physics allows.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, rehearse, serve, bench):
    application.command()(command)
application.add_typer(lbj)
application.add_typer(train, name="train")
# -1 names the latest run, and is no option
for of_run in (replay, mfsi):
    application.command(context_settings={"ignore_unknown_options": True})(of_run)


@application.callback(invoke_without_command=True)
def describe(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Adaptive spectrum imaging on electron microscopes: as few electrons as physics allows."""
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line.

    A fault the user can mend prints one line and ends with exit code 2; set ``DAISY_TRACEBACK`` to see where it arose.
    Ctrl-C ends with exit code 130.
    """
    try:
        code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    # the end is near: one more Ctrl-C could only cut short what is being put away
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code == INTERRUPTED:
        _say("interrupted")
    sys.exit(code)


def _run() -> int:
    try:
        return application(prog_name="daisy-bluesky", standalone_mode=False) or 0
    except (*USER_FAULTS, RuntimeError) as error:
        if os.environ.get("DAISY_TRACEBACK") or not (isinstance(error, USER_FAULTS) or _is_of_tiled(error)):
            raise
        _say(fault_line(error))
        return 2


def _is_of_tiled(error: RuntimeError) -> bool:
    """Tell whether tiled raised it: its way to refuse what it finds. Any other `RuntimeError` is a fault of ours."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__", "")).split(".")[0] == "tiled"


def _say(line: str) -> None:
    sys.stderr.write(f"daisy-bluesky: {line}\n")
