"""What cannot work is refused before anything is prepared."""

from math import isfinite
from pathlib import Path


def check_arguments(fraction: float, counts: float, report: Path) -> None:
    """Check the arguments of a job.

    Raises
    ------
    ValueError
        A number is out of range, or the picture cannot be written.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction: {fraction} is not in (0, 1]")
    if not (counts > 0 and isfinite(counts)):
        raise ValueError(f"counts: {counts} is no positive number")
    if report.suffix.lower() != ".png":
        raise ValueError(f"report: {report} is no .png; name the picture like report.png")
    if report.is_dir():
        raise ValueError(f"report: {report} is a folder; name a file in it")
    if not report.resolve().parent.is_dir():
        raise ValueError(f"report: there is no folder {report.resolve().parent}; create it first")
