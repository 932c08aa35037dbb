"""The tables that end a run."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from daisy_bluesky.report._format import DASH, duration, in_powers, objects, share, size
from daisy_bluesky.report._outcome import MapOutcome
from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.report._wrong_pixels import distortion


def outcome_table(outcomes: Sequence[MapOutcome], *, title: str = "The map and its rivals") -> Table:
    """Return a table of maps beside each other.

    Parameters
    ----------
    outcomes : sequence of MapOutcome
        The map of the run first.
    title : str
        Title of the table.

    Returns
    -------
    rich.table.Table
        One column for each map, one row for each quantity that any map has.
    """
    rows = {
        "measured pixels": [f"{100 * outcome.sampled_fraction:.3g} %" for outcome in outcomes],
        "counts a spectrum": [in_powers(outcome.counts_per_spectrum) for outcome in outcomes],
        "total distortion": [distortion(outcome, outcome.total_distortion) for outcome in outcomes],
        "  prior from data": [distortion(outcome, outcome.blind_distortion) for outcome in outcomes],
        "misclassified": [share(outcome.misclassified) for outcome in outcomes],
        "good, called ill": [share(outcome.false_alarms) for outcome in outcomes],
        "small objects": [objects(outcome.small_objects) for outcome in outcomes],
        "deviance a pixel": [DASH if outcome.deviance is None else f"{outcome.deviance:.4g}" for outcome in outcomes],
        "electrons": [in_powers(outcome.electrons) for outcome in outcomes],
        "time": [duration(outcome.seconds) for outcome in outcomes],
    }
    table = Table(title=title, title_justify="left", pad_edge=False, box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for number, outcome in enumerate(outcomes):
        table.add_column(outcome.name, justify="right", style="bold" if number == 0 else "")
    for heading, cells in rows.items():
        if any(cell != DASH for cell in cells):
            table.add_row(heading, *cells)
    return table


def figures_table(run: RunSummary, stored_bytes: int | None = None) -> Table:
    """Return a table of what a run took: decisions, events, bytes.

    Parameters
    ----------
    run : RunSummary
        The run.
    stored_bytes : int, optional
        Bytes of the LBJ files that hold its spectra.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title="The run", title_justify="left", show_header=False, pad_edge=False, box=SIMPLE_HEAD)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("events", f"{run.visits}")
    if run.latencies.size:
        table.add_row("decision latency, p50", duration(run.latency(0.50)))
        table.add_row("decision latency, p99", duration(run.latency(0.99)))
    if run.events_per_second > 0:
        table.add_row("events per second", f"{run.events_per_second:.0f}")
    if stored_bytes is not None:
        table.add_row("spectra in LBJ", size(stored_bytes))
        if stored_bytes > 0:
            table.add_row("of the dense array", f"1/{run.dense_bytes / stored_bytes:.1f} of {size(run.dense_bytes)}")
    return table
