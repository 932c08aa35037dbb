"""One call that wires it all: RunEngine, journal, catalog, uploader, devices."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from bluesky import RunEngine
from numpy.typing import ArrayLike
from rich.console import Console

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.config import Settings, load_settings
from daisy_bluesky.devices import (
    Beam,
    Devices,
    EDSDetector,
    EELSDetector,
    EnergyOffset,
    HAADFDetector,
    ProbePositioner,
    make_devices,
)
from daisy_bluesky.devices.backends import (
    RecordedInstrument,
    ScanningInstrument,
    SimulatedClock,
    VirtualInstrument,
    WallClock,
)
from daisy_bluesky.protocols import Instrument
from daisy_bluesky.report import print_rehearsal, rehearse_survey
from daisy_bluesky.sampling import Rehearsal, VisitCost
from daisy_bluesky.storage import (
    Catalog,
    PersistentMetadata,
    Uploader,
    interrupts_deferred,
    open_catalog,
    recover,
    tell_journal_directory,
    withhold_journal_directory,
)

UPLOAD_GRACE = 60
"""Longest wait for what is left to upload, s."""
ENGINE_GRACE = 5.0
_open_sessions: list["Session"] = []


@dataclass(eq=False)
class Session:
    """What a user works with.

    Attributes
    ----------
    RE : RunEngine
        Journals every run.
    catalog : CatalogOfBlueskyRuns
        Where runs are read: ``catalog[-1]`` is the latest, ``catalog[uid]`` any.
    beam, probe : Beam, ProbePositioner
        The devices every instrument has.
    haadf, eds, eels : detector or None
        Those the instrument has.
    energy_offset : EnergyOffset or None
        The drift tube of its EELS spectrometer.
    instrument : Instrument
        The back end.
    settings : Settings
        What it was started with.
    uploader : Uploader
        Feeds tiled; ``uploader.flush(timeout)`` waits until it has caught up.
    journal : Journal
        The first subscriber; ``journal.subscribe(callback)`` gives its slim documents to a publisher.
    recovered : list of str
        Uids of runs that a dead process had left behind, now closed as failed.
    """

    RE: RunEngine
    catalog: Any
    beam: Beam
    probe: ProbePositioner
    haadf: HAADFDetector | None
    eds: EDSDetector | None
    eels: EELSDetector | None
    energy_offset: EnergyOffset | None
    instrument: Instrument
    settings: Settings
    uploader: Uploader
    journal: Journal
    recovered: list[str]
    _store: Catalog
    _subscription: int
    _owns_engine: bool
    _closed: bool = False

    def close(self) -> None:
        """Close a run that is paused as aborted, upload what is left, let go of the catalog and the RunEngine.

        A RunEngine that was given goes on without the journal. What cannot be uploaded, or is not because of Ctrl-C,
        is for the next `start`.
        """
        if self._closed:
            return
        self._closed = True
        _open_sessions.remove(self)
        with ExitStack() as stack:
            stack.callback(self._let_go)
            stack.callback(_upload_rest, self.uploader)
            stack.callback(self.RE.unsubscribe, self._subscription)
            stack.callback(withhold_journal_directory, self.RE)
            stack.callback(self.beam.interrupt)
            if self.RE.state == "paused":
                self.RE.abort("the session was closed")

    def _let_go(self) -> None:
        with interrupts_deferred():
            self.uploader.stop()
            self._store.close()
            if self._owns_engine:
                _end_engine(self.RE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(
    RE: RunEngine | None = None,  # noqa: N803 - the name every Bluesky user types
    *,
    settings: Settings | None = None,
    instrument: Instrument | None = None,
    specimen: str | None = None,
) -> Session:
    """Start a session.

    Runs that a dead process left behind are closed as failed and uploaded.

    Parameters
    ----------
    RE : RunEngine, optional
        An engine to use; the journal subscribes to it, and should be the first to do so. A new one, with metadata
        that persists, when not given.
    settings : Settings, optional
        Read from ``daisy.toml`` and the environment when not given.
    instrument : Instrument, optional
        The back end; the one the settings name when not given.
    specimen : str, optional
        Specimen of the virtual microscope, in place of the one the settings name: ``"grains"``, ``"crystal"`` or
        ``"particles"``.

    Returns
    -------
    Session
        Also a context manager.

    Raises
    ------
    ValueError
        A setting is wrong, or the recording is unreadable.
    OSError
        The data folder cannot be written.
    """
    settings = settings or load_settings()
    if specimen is not None:
        settings = load_settings(**{**settings.model_dump(), "specimen": specimen})
    instrument = instrument or make_instrument(settings)
    devices = _make_devices(instrument, settings)
    with ExitStack() as undo:
        store = open_catalog(settings.data)
        undo.callback(store.close)
        recovered = recover(settings.journal_directory)
        engine = RE or _make_engine(settings.data)
        journal = Journal(settings.journal_directory, sync_interval=settings.journal.sync_interval)
        uploader = Uploader(settings.journal_directory, lambda: store.client, batch=settings.journal.upload_batch)
        undo.pop_all()
    session = Session(
        engine,
        store.client,
        devices.beam,
        devices.probe,
        devices.haadf,
        devices.eds,
        devices.eels,
        devices.energy_offset,
        instrument,
        settings,
        uploader,
        journal,
        recovered,
        store,
        engine.subscribe(journal),
        RE is None,
    )
    tell_journal_directory(engine, settings.journal_directory)
    uploader.start()
    _open_sessions.append(session)
    # what atexit calls comes too late: by then no thread may be started, and tiled needs some to take the last run
    threading._register_atexit(_close_open_sessions)  # type: ignore[attr-defined]
    return session


def rehearse(
    survey: str | Path | ArrayLike,
    *,
    cost: dict[str, Any] | None = None,
    settings: Settings | None = None,
    **given: Any,
) -> Rehearsal:
    """Foretell what maps of a field will be worth, and print it with the plan to type; nothing is exposed.

    Parameters
    ----------
    survey : path or (rows, columns) array_like
        A phase map, or a grey image from which one is guessed.
    cost : dict, optional
        What a visit costs: arguments of `daisy_bluesky.sampling.VisitCost`; settling as configured when not given.
    settings : Settings, optional
        Where current and settling come from; read from ``daisy.toml`` and the environment when not given.
    **given
        Further arguments of `daisy_bluesky.report.rehearse_survey`: ``spectra``, ``phases``, ``rate``, ``current``,
        ``wanted``, ``visit_dwell``, ``seed``.

    Returns
    -------
    Rehearsal

    Raises
    ------
    ValueError
        One line naming what is wrong.
    """
    settings = settings or load_settings()
    current = given.pop("current", settings.beam.current)
    model = VisitCost(**{"settling": settings.probe.settle_time, **(cost or {})})
    rehearsal, _ = rehearse_survey(survey, cost=model, current=current, **given)
    print_rehearsal(Console(), rehearsal, current, str(given.get("spectra") or "CLASSIFIER.npz"))
    return rehearsal


def make_instrument(settings: Settings) -> Instrument:
    """Return the back end that the settings name.

    Raises
    ------
    ValueError
        The recording is missing or unreadable.
    """
    from daisy_bluesky.specimen import RecordedSpecimen, ScannedSpecimen, VirtualSpecimen

    clock = WallClock() if settings.real_time else SimulatedClock()
    if settings.instrument == "virtual" and settings.specimen != "grains":
        return ScanningInstrument(ScannedSpecimen.demo(settings.specimen, settings.shape, settings.seed), clock=clock)
    if settings.instrument == "virtual":
        return VirtualInstrument(VirtualSpecimen.demo(settings.shape, seed=settings.seed), clock=clock)
    if settings.recording is None:
        raise ValueError("recording: a recorded instrument needs a spectrum image; set recording = 'FILE'")
    return RecordedInstrument(RecordedSpecimen.load(settings.recording, seed=settings.seed), clock=clock)


def _make_devices(instrument: Instrument, settings: Settings) -> Devices:
    return make_devices(
        instrument,
        current=settings.beam.current,
        settle_time=settings.probe.settle_time,
        dwell_times={name: getattr(settings, name).dwell_time for name in sorted(instrument.detectors)},
        max_pixel_dose=settings.beam.max_pixel_dose,
        max_charge=settings.beam.max_charge,
    )


def _make_engine(data: Path) -> RunEngine:
    metadata = PersistentMetadata(data / "metadata.json")
    return RunEngine(cast(dict[str, Any], metadata), scan_id_source=metadata.next_scan_id)


def _close_open_sessions() -> None:
    for session in tuple(_open_sessions):
        session.close()


def _upload_rest(uploader: Uploader) -> None:
    # what failed is not waited for: a disk that is full takes nothing, however long one waits for it
    uploader.settle(UPLOAD_GRACE)


def _end_engine(engine: RunEngine) -> None:
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    engine._th.join(ENGINE_GRACE)
    engine.loop.close()
