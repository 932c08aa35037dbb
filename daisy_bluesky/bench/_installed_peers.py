"""Other packages beside ours, as far as they are installed."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TypeVar

Method = TypeVar("Method")


def compared(peers: Iterable[tuple[str, str, Method]], figures: Callable[[Method], str]) -> list[str]:
    """Return name and figures of each peer, (name, package, method), or that its package is not installed."""
    return [
        f"{name} {figures(method)}" if find_spec(package) else f"{name}: not installed"
        for name, package, method in peers
    ]
