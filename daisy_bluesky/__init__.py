"""Adaptive spectrum imaging on electron microscopes, built on Bluesky."""

from importlib.metadata import version

__version__ = version("daisy-bluesky")
__all__ = ["__version__"]
