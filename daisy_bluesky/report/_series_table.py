"""The tables that end the processing of a series."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from daisy_bluesky.report._format import DASH, in_powers
from daisy_bluesky.report._series_figures import Figures

MOST_LISTED = 6  # excluded frames


def series_table(figures: Figures) -> Table:
    """Return the table of a series: frames, drift, errors, doses.

    Parameters
    ----------
    figures : dict
        From `series_figures`.
    """
    table = Table(title="The series", title_justify="left", show_header=False, pad_edge=False, box=SIMPLE_HEAD)
    table.add_column("quantity", no_wrap=True)
    table.add_column("value")
    rows, columns = figures["shape"]
    field = f"{figures['used']} of {figures['frames']}, {rows} x {columns} pixels"
    table.add_row("frames used", field + (f", {figures['areas']} areas" if figures["areas"] > 1 else ""))
    for line in _excluded(figures["excluded"], "frame"):
        table.add_row("left out", line)
    for line in _excluded(figures["excluded_spectra"], "spectra of frame"):
        table.add_row("left out", line)
    table.add_row(
        "drift",
        f"{_pair(figures['drift_px_per_frame'], figures['drift_error_px_per_frame'])} px a frame (rows, columns)",
    )
    moved = "left in: rigid only" if figures["rigid"] else f"{_pair(figures['distortion_px'])} px rms taken out"
    table.add_row("distortion in a frame", moved)
    error = figures["error_px"]
    table.add_row("error of a position", f"{_pair(error)} px, as estimated" if error else "unknown")
    table.add_row("common distortion", _common(figures["common_distortion"]))
    area = "dose of an area" if figures["areas"] > 1 else "dose in all"
    doses = (("dose a frame", "per_frame"), (area, "per_area"), ("dose in the sum", "in_sum"))
    told = figures["dose"]
    for name, dose in (*doses, ("effective dose", "effective")):
        if told[dose] is not None and not (dose == "in_sum" and told[dose] == told["per_area"]):
            table.add_row(name, f"{in_powers(figures['dose'][dose])} e-/A^2")
    if figures["motif"] is not None:
        motif = figures["motif"]
        odd = f", {motif['outliers']} unlike the others left out" if motif["outliers"] else ""
        table.add_row("motif", f"{motif['folded']} repeats folded{odd}")
    if figures["information"]:
        table.add_row("information", _information(figures["information"]))
    watched = "; ".join(_change(name, each) for name, each in figures["damage"].items())
    if figures["maps"]:
        table.add_row("damage", watched or "none noticed")
    return table


def maps_table(figures: Figures) -> Table:
    """Return the table of maps: counts, and signal and contrast over noise before and after.

    Parameters
    ----------
    figures : dict
        From `series_figures`.
    """
    with_motif = any(one["signal_to_noise"]["motif"] is not None for one in figures["maps"].values())
    stages = ["one_frame", "series", *(["motif"] if with_motif else [])]
    told = f"1 frame → {figures['used']} frames{' → motif' if with_motif else ''}"
    table = Table(
        title=f"Maps: {told}, each on the pixels of a frame", title_justify="left", pad_edge=False, box=SIMPLE_HEAD
    )
    with_size = figures["pixel_size_nm"] is not None
    table.add_column("", no_wrap=True)
    table.add_column("counts/nm^2" if with_size else "net counts", justify="right")
    table.add_column("mean over noise", justify="right")
    table.add_column("contrast over noise", justify="right")
    for name, one in figures["maps"].items():
        counts = one["counts_per_nm2"] if with_size else one["net_counts"]
        cells = [
            " → ".join(_number(one[f"{quantity}_to_noise"][stage]) for stage in stages)
            for quantity in ("signal", "contrast")
        ]
        table.add_row(name, in_powers(counts), *cells)
    return table


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def _excluded(excluded: dict[str, str], what: str) -> list[str]:
    lines = [f"{what} {number}: {reason}" for number, reason in list(excluded.items())[:MOST_LISTED]]
    more = len(excluded) - len(lines)
    return [*lines, f"and {more} more"] if more > 0 else lines


def _pair(values: list[float], errors: list[float] | None = None) -> str:
    numbers = [f"{value:.3g}" for value in values]
    if errors is not None:
        numbers = [f"{number} ± {error:.2g}" for number, error in zip(numbers, errors, strict=True)]
    return ", ".join(numbers)


def _common(common: dict[str, Any]) -> str:
    if not common["known"]:
        return "unknown: no steady drift between frames shows it"
    return f"shear {common['shear_degrees']:.3g}°, stretch {100 * common['stretch']:.2g} %, taken out"


def _information(screes: list[dict[str, Any]]) -> str:
    told = [each for each in screes if each["rank"] is not None]
    if not told:
        first = screes[-1]["fractions"]
        return f"first component {100 * first[0]:.1f} % of the variance at {screes[-1]['frames']} frames"
    steps: list[tuple[int, str]] = []
    for each in told:
        where = f"{each['frames']} frame{'s' if each['frames'] > 1 else ''}"
        if each["repeats"] > 1:
            where += f" x {each['repeats']} repeats"
        if not steps or each["rank"] != steps[-1][0] or each["repeats"] > 1:
            steps.append((each["rank"], where))
    return "components above noise: " + ", ".join(f"{rank} after {where}" for rank, where in steps)


def _change(name: str, damage: dict[str, Any]) -> str:
    return f"{name} {100 * damage['change']:+.1f} % since frame {damage['since']} ({damage['significance']:.1f} sigma)"
