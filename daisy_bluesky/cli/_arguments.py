"""What cannot work is refused before anything is prepared."""

import os
from pathlib import Path

COUNTS = (1.0, 1e7)
"""Least and largest mean counts of a spectrum that the demonstration can be trained for."""


def check_arguments(fraction: float, counts: float, report: Path) -> None:
    """Check the arguments of a job.

    Raises
    ------
    ValueError
        A number is out of range, or the picture cannot be written.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction: {fraction} is not in (0, 1]")
    if not COUNTS[0] <= counts <= COUNTS[1]:
        raise ValueError(f"counts: {counts:g} is out of range; give {COUNTS[0]:g} to {COUNTS[1]:g}")
    check_picture(report)


def check_picture(report: Path) -> None:
    """Check that a picture can be written.

    Raises
    ------
    ValueError
        It is no .png, its folder is missing, or nothing may be written there.
    """
    if report.suffix.lower() != ".png":
        raise ValueError(f"report: {report} is no .png; name the picture like report.png")
    if report.is_dir():
        raise ValueError(f"report: {report} is a folder; name a file in it")
    if not report.resolve().parent.is_dir():
        raise ValueError(f"report: there is no folder {report.resolve().parent}; create it first")
    _try_to_write("report", report)


def check_json(file: Path | None) -> None:
    """Check that figures can be written, where a file for them is given.

    Raises
    ------
    ValueError
        It is a folder, its folder is missing, or nothing may be written there.
    """
    if file is None:
        return
    if file.is_dir():
        raise ValueError(f"json: {file} is a folder; name a file in it")
    if not file.resolve().parent.is_dir():
        raise ValueError(f"json: there is no folder {file.resolve().parent}; create it first")
    _try_to_write("json", file)


def check_recorded(size: int | None, counts: float | None) -> None:
    """Check that nothing is asked of a recorded specimen that only a virtual one can be told.

    Raises
    ------
    ValueError
        Its size or its counts are given.
    """
    given = [name for name, value in (("--size", size), ("--counts", counts)) if value is not None]
    if given:
        raise ValueError(f"{' and '.join(given)}: a recorded specimen has its own; leave this out with --recorded")


def _try_to_write(name: str, file: Path) -> None:
    path = file.resolve()  # a link that leads nowhere is no file yet
    there = path.exists()
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        if not there:
            path.unlink()
    except OSError as error:
        raise ValueError(
            f"{name}: {file} cannot be written ({error.strerror}); name a file in a folder of yours"
        ) from None
