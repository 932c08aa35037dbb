"""How the plans of a RunEngine learn where its runs are kept: it answers a message of that name."""

from pathlib import Path

from bluesky import Msg, RunEngine

JOURNAL_DIRECTORY = "journal_directory"


def tell_journal_directory(engine: RunEngine, directory: Path) -> None:
    """Let a RunEngine answer the message with a directory."""

    async def answer(_: Msg) -> Path:
        return directory

    engine.register_command(JOURNAL_DIRECTORY, answer)


def withhold_journal_directory(engine: RunEngine) -> None:
    """Let a RunEngine know the message no longer."""
    engine.unregister_command(JOURNAL_DIRECTORY)
