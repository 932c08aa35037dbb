"""A rehearsal in words and figures: the table, the verdict, and the plan to type."""

from math import isfinite

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from daisy_bluesky.report._acquisition import ELECTRONS_PER_PICOCOULOMB
from daisy_bluesky.report._format import DASH, duration, in_powers
from daisy_bluesky.sampling import Forecast, Rehearsal

POLICIES = {"raster": "raster", "sparse": "sparse visits", "dose": "allocated dose"}
SAME_TIME = 1.3


def rehearsal_table(rehearsal: Rehearsal, current: float) -> Table:
    """Return a table of what maps will be worth, one row for each price.

    Parameters
    ----------
    rehearsal : Rehearsal
        What was rehearsed.
    current : float
        Beam current, pA.

    Returns
    -------
    rich.table.Table
        For each policy total distortion, half of its range over the rehearsals, and electrons.
    """
    table = Table(title="Total distortion foretold", title_justify="left", pad_edge=False, box=SIMPLE_HEAD)
    table.add_column("time", justify="right", no_wrap=True)
    curves = {policy: [one for one in rehearsal.forecasts if one.policy == policy] for policy in POLICIES}
    for name in POLICIES.values():
        table.add_column(name, justify="right")
        table.add_column("electrons", justify="right", style="dim")
    for at in curves["dose"]:
        cells = [duration(at.seconds)]
        for points in curves.values():
            near = min(points, key=lambda one: abs(one.seconds - at.seconds), default=None)
            there = near is not None and 1 / SAME_TIME < near.seconds / at.seconds < SAME_TIME
            cells += _cells(near, current) if near is not None and there else [DASH, DASH]
        table.add_row(*cells)
    return table


def _cells(one: Forecast, current: float) -> list[str]:
    return [f"{one.distortion:.4f} ±{(one.high - one.low) / 2:.4f}", in_powers(electrons(one, current))]


def electrons(one: Forecast, current: float) -> float:
    """Return the electrons of a map with a beam of so many pA."""
    return one.exposure * current * ELECTRONS_PER_PICOCOULOMB


def rehearsal_verdict(rehearsal: Rehearsal, current: float) -> list[str]:
    """Return what each policy needs for the distortion that is asked for, and when which one is better, in words.

    Parameters
    ----------
    rehearsal : Rehearsal
        What was rehearsed.
    current : float
        Beam current, pA.
    """
    wanted = f"a total distortion of {rehearsal.wanted:g}"
    lines = []
    for policy, name in POLICIES.items():
        if policy in rehearsal.needed:
            one = rehearsal.needed[policy]
            price = f"{duration(one.seconds)}, {in_powers(electrons(one, current))} electrons"
            lines.append(f"{name}: {price} for {wanted}{_means(rehearsal, one)}.")
        else:
            lines.append(f"{name}: {wanted} is not reached.")
    return [*lines, _break_even(rehearsal)]


def print_rehearsal(console: Console, rehearsal: Rehearsal, current: float, classifier: str) -> None:
    """Print table, verdict and the plan to type; parameters as for those."""
    console.print(rehearsal_table(rehearsal, current))
    for line in rehearsal_verdict(rehearsal, current):
        console.print(line, highlight=False)
    plan = recommended_plan(rehearsal, classifier)
    if plan is None:
        console.print("No plan reaches that; ask for less with wanted, or give more counts per second.")
    else:
        console.print("\nThe plan to type:", highlight=False)
        console.print(f"    RE({plan})", highlight=False, markup=False, soft_wrap=True)


def _means(rehearsal: Rehearsal, one: Forecast) -> str:
    if one.policy == "raster":
        return f" ({duration(rehearsal.raster_dwell)} at every pixel)"
    if one.policy == "sparse":
        return f" ({100 * one.fraction:.3g} % of the pixels, {duration(rehearsal.visit_dwell)} each)"
    return f" ({one.fraction:.2g} visits a pixel)"


def _break_even(rehearsal: Rehearsal) -> str:
    if not isfinite(rehearsal.break_even):
        return "Break-even: sparse visits do not get there, so there is none."
    below, visit = duration(rehearsal.break_even), duration(rehearsal.visit_dwell)
    told = f"Break-even dwell: one sparse visit a pixel is faster than the raster where it takes less than {below}"
    if rehearsal.overhead == 0:
        return f"{told}; with the {visit} it was rehearsed with, whatever the overhead."
    if not isfinite(rehearsal.overhead):
        return f"{told}."
    return f"{told}; with {visit}, where a visit costs more than {duration(rehearsal.overhead)} beside its dwell."


def recommended_plan(rehearsal: Rehearsal, classifier: str = "CLASSIFIER.npz") -> str | None:
    """Return the plan that gets there for the least, ready to be typed; None where none does.

    Parameters
    ----------
    rehearsal : Rehearsal
        What was rehearsed.
    classifier : str
        File of the classifier to be named in the plan.
    """
    best = rehearsal.best
    if best is None:
        return None
    rows, columns = rehearsal.shape
    detectors = f"[haadf, eds], probe, shape=({rows}, {columns})"
    if best.policy == "raster":
        return f"raster_map({detectors}, dwell_time={rehearsal.raster_dwell:.3g})"
    if best.policy == "sparse":
        visits = f"dwell_time={rehearsal.visit_dwell:.3g}, fraction={min(best.fraction, 1.0):.3g}"
        return f'adaptive_map({detectors}, {visits}, classifier="{classifier}", policy="slads")'
    cost = rehearsal.cost
    times = {"settling": cost.settling, "read_out": cost.read_out, "fly_back": cost.fly_back}
    given = ", ".join(f"{name!r}: {value:.3g}" for name, value in times.items() if value)
    model = f"{{{given + ', ' if given else ''}'minimum_dwell': {cost.minimum_dwell:.3g}}}"
    if cost.scarce == "electrons":
        model = f"{model[:-1]}, 'scarce': 'electrons'}}"
    dwell = best.exposure / (rows * columns)
    # where less than one of the shortest visits a pixel is needed, there are fewer of them
    visits = f"dwell_time={max(dwell, cost.minimum_dwell):.3g}, fraction={min(dwell / cost.minimum_dwell, 1.0):.3g}"
    return f'adaptive_map({detectors}, {visits}, classifier="{classifier}", policy="dose", cost={model})'
