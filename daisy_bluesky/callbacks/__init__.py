"""Callbacks: what reacts to documents."""

from daisy_bluesky.callbacks._journal import Journal
from daisy_bluesky.callbacks._next_probe import Decision, NextProbe
from daisy_bluesky.callbacks._progress import ProgressReporter

__all__ = ["Decision", "Journal", "NextProbe", "ProgressReporter"]
