"""``daisy-bluesky replay``: re-drives a stored run and says whether every decision was the same."""

from time import process_time
from typing import Annotated

import typer
from rich.console import Console

from daisy_bluesky.config import load_settings


def replay(
    uid: Annotated[str, typer.Argument(help="Uid of the run, its first letters, or -1 for the latest.")],
    journal: Annotated[bool, typer.Option("--journal", help="Read the journal's files instead of tiled.")] = False,
) -> None:
    """Feed a stored run to a fresh recommender and compare every decision with the one that was taken."""
    settings = load_settings()
    from daisy_bluesky.callbacks import check_decisions
    from daisy_bluesky.storage import RunSource

    console = Console()
    with RunSource(settings.data, from_journal=journal) as runs:
        full = runs.uid(uid)
        console.print(f"replaying run {full} from {'its journal' if journal else 'tiled'}")
        began = process_time()
        check = check_decisions(runs.replay, full)
        seconds = process_time() - began
    console.print(
        f"{check.decisions} decisions compared at {check.decisions / max(seconds, 1e-9):.0f} events/s (CPU time)"
    )
    if check.different:
        console.print(f"[bold red]{check.different} decisions were different[/]; the first: {check.first}")
        raise typer.Exit(1)
    console.print("[bold green]every decision was the same[/]")
