"""A series of fast frames, with a spectrum image of each."""

from collections.abc import Callable, Sequence
from typing import Any

from bluesky import preprocessors as bpp
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator
from rich.console import Console

from daisy_bluesky.callbacks import FrameSum
from daisy_bluesky.plans._completion import check_hook, complete
from daisy_bluesky.plans._earlier_frames import book
from daisy_bluesky.plans._series_preparation import prepared_series
from daisy_bluesky.plans._visit import staged_run
from daisy_bluesky.plans._watching import watching_series


def multiframe_map(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    *,
    pixel_size: float | None = None,
    dwell_time: float | None = None,
    frames: int | None = None,
    region: Sequence[float] | None = None,
    areas: int | Sequence[Sequence[float]] | None = None,
    sub_pixel: int | None = None,
    energy_offset: Movable[Any] | None = None,
    energy_offset_step: float | None = None,
    survey: bool = False,
    focus: int = 0,
    max_dose: float | None = None,
    overhead_time: float | None = None,
    registration: bool = True,
    frame_sum: FrameSum | None = None,
    continue_from: str | None = None,
    on_completion: Callable[[str], Any] | None = None,
    timeout: float = 60.0,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str | None]:
    """Scan a region again and again, fast, with an image and a spectrum image each time.

    Before the first electron it states times and doses, and refuses what would break a limit. Every frame is an event,
    with the detectors' ``<detector>_image`` or ``<detector>_frame``, its number, its area and what it cost.

    Parameters
    ----------
    detectors : list of Readable
        What is measured; a HAADF detector among them gives the images that frames are registered by.
    probe : Movable
        The probe positioner, which knows the field.
    pixel_size : float
        Distance between pixels, nm; their number follows.
    dwell_time : float
        Dwell time of a pixel, s.
    frames : int
        Frames of each area, in all runs of the series together.
    region : (float, float, float, float), optional
        Where the first pixel lies, x and y, and width and height, nm; the whole field when not given. It grows to whole
        pixels.
    areas : int or list of (float, float), optional
        Several areas like the region, each with its own frames: a number of virgin ones, or where their first pixels
        lie, (x, y) nm.
    sub_pixel : int, optional
        Places along each axis over which the beam is moved within a pixel; 1 when not given.
    energy_offset : Movable, optional
        The drift tube of the EELS spectrometer.
    energy_offset_step : float, optional
        What is added to its energy offset from frame to frame, eV; it is set back at the end.
    survey : bool
        Whether to take an image of the whole field first, 10 us a pixel; stream ``survey``.
    focus : int
        Images of each area to focus on, before its frames, 10 us a pixel; stream ``focus``.
    max_dose : float, optional
        Most that an area may have received in the end, survey, focus, fly-back and earlier exposures included, e-/A^2.
    overhead_time : float, optional
        Time between frames for communication and writing, s; what the instrument tells when not given.
    registration : bool
        Whether to register the frames while they arrive; stream ``registration``, and the mean image in ``result``.
    frame_sum : FrameSum, optional
        What registers and sums them, to be looked at meanwhile; one that sums images alone when not given.
    continue_from : str, optional
        Uid (or its beginning) of a finished or killed series, which goes on after its last whole frame; it is not to
        be told again where and how. It has as many frames as `frames` says, in all.
    on_completion : callable, optional
        Called with the run's uid when the series has ended without an error; it may return a plan, to close a valve,
        say. Where it fails, that is reported, and the series is kept.
    timeout : float
        Longest wait for a move and for an exposure beside its dwell time, where pixels are visited one by one, s.
    md : dict, optional
        Metadata.

    Yields
    ------
    msg : Msg

    Returns
    -------
    str or None
        Uid of the run; the ``reason`` of its stop document says what has ended it early.

    Raises
    ------
    ValueError
        One line naming the parameter that is wrong; nothing has been exposed.
    DoseLimitExceeded
        The series would break `max_dose` or a limit of the beam; nothing has been exposed.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods and Figure 1.
    """
    check_hook(on_completion)
    asked: dict[str, Any] = {"pixel_size": pixel_size, "dwell_time": dwell_time, "region": region, "areas": areas}
    asked |= {"sub_pixel": sub_pixel, "energy_offset_step": energy_offset_step, "frames": frames}
    options: dict[str, Any] = {"survey": survey, "focus": focus, "max_dose": max_dose, "timeout": timeout}
    options |= {"overhead_time": overhead_time}
    series = yield from prepared_series(detectors, probe, energy_offset, asked, options, continue_from)
    metadata = series.metadata(md)
    Console().print(series.statement, highlight=False, soft_wrap=True)
    watching = watching_series(series, frame_sum, registration=registration)
    if series.real:
        book(series.beam, series.earlier, series.grids, series.field)

    run = series.run(None, []) if watching is None else series.run(watching.frame_sum, watching.unstored)
    messages = run.messages()
    if series.shift is not None:
        messages = bpp.finalize_wrapper(messages, series.shift.to(0))
    plan = staged_run(messages, [series.beam, *series.detectors, series.probe, *run.scans], metadata)
    uid = yield from (plan if watching is None else bpp.subs_wrapper(plan, watching.frame_sum))
    if on_completion is not None and uid is not None:
        yield from complete(on_completion, uid)
    return uid
