"""The command line: ``daisy-bluesky``."""

from daisy_bluesky.cli._main import main

__all__ = ["main"]
