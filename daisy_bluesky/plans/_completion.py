"""What a user has done when a series is complete."""

from collections.abc import Callable, Generator
from typing import Any

from bluesky.utils import MsgGenerator, RunEngineControlException
from rich.console import Console


def check_hook(hook: Callable[[str], Any] | None) -> None:
    """Refuse what cannot be called.

    Raises
    ------
    ValueError
        It cannot.
    """
    if hook is not None and not callable(hook):
        raise ValueError(f"on_completion: {hook!r} cannot be called; give a function that takes the uid of the run")


def complete(hook: Callable[[str], Any], uid: str) -> MsgGenerator[None]:
    """Call a hook with the uid of a run, and follow the plan it may return; where that fails, say so and go on."""
    try:
        outcome = hook(uid)
        if isinstance(outcome, Generator):
            yield from outcome
    except RunEngineControlException:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a user's hook raises; the run is closed and stored
        name = getattr(hook, "__name__", repr(hook))
        Console().print(
            f"on_completion: {name} failed ({type(error).__name__}: {error}); run {uid} is complete and stored",
            highlight=False,
            soft_wrap=True,
        )
