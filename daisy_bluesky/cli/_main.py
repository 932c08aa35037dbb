"""The commands, and what a user sees when one cannot go on: one line and exit code 2."""

import os
import sys

import typer

from daisy_bluesky import __version__
from daisy_bluesky.cli._bench import bench
from daisy_bluesky.cli._demo import demo
from daisy_bluesky.cli._replay import replay
from daisy_bluesky.cli._serve import serve
from daisy_bluesky.cli._train import train

USER_FAULTS = (ValueError, OSError, ImportError, TimeoutError, typer.TyperException)
INTERRUPTED = 130

application = typer.Typer(
    name="daisy-bluesky",
    help="Adaptive spectrum imaging on electron microscopes: as few electrons as physics allows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, serve, bench):
    application.command()(command)
application.add_typer(train, name="train")
# -1 names the latest run, and is no option
application.command(context_settings={"ignore_unknown_options": True})(replay)


@application.callback(invoke_without_command=True)
def describe(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    """Adaptive spectrum imaging on electron microscopes: as few electrons as physics allows."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line.

    A fault the user can mend prints one line and ends with exit code 2; set ``DAISY_TRACEBACK`` to see where it arose.
    Ctrl-C ends with exit code 130.
    """
    try:
        code = application(standalone_mode=False)
    except USER_FAULTS as error:
        if os.environ.get("DAISY_TRACEBACK"):
            raise
        _say(_one_line(error))
        sys.exit(2)
    if code == INTERRUPTED:
        _say("interrupted")
    sys.exit(code)


def _say(line: str) -> None:
    sys.stderr.write(f"daisy-bluesky: {line}\n")


def _one_line(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(_text(error).split()) or type(error).__name__
    return text if cause is None or not str(cause) or str(cause) in text else f"{text} ({' '.join(str(cause).split())})"


def _text(error: BaseException) -> str:
    # a usage error names its parameter only in the message it formats
    return str(error.format_message()) if hasattr(error, "format_message") else str(error)
