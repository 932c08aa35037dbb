"""A simulated specimen, as a beam finds it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen._alloy import ALLOY_PHASES, alloy_labels
from daisy_bluesky.specimen._counting import CountingSource
from daisy_bluesky.specimen._drift import Drift
from daisy_bluesky.specimen._eds_model import EDSModel
from daisy_bluesky.specimen._eels import EELSModel
from daisy_bluesky.specimen._eels_camera import EELSCamera
from daisy_bluesky.specimen._flake import FLAKE_AXIS, FLAKE_PHASES, flake_fractions
from daisy_bluesky.specimen._haadf import HAADFModel
from daisy_bluesky.specimen._ill import ILL_KINDS, ill_map, make_ill
from daisy_bluesky.specimen._named_lines import element_lines
from daisy_bluesky.specimen._phantom import phase_fractions
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._phase_map import PhaseMap
from daisy_bluesky.specimen._random_streams import Stream, random_stream
from daisy_bluesky.specimen._rock import ROCK
from daisy_bluesky.spectra import EnergyAxis


class VirtualSpecimen:
    """A specimen of known phases that answers an exposure with counts from physics.

    What an exposure sees depends on what lies under the beam when it starts; its noise on the seed, the nearest pixel
    and the number of the visit only. Two visits are independent, and their counts add up to those of a longer one.

    Parameters
    ----------
    phases : sequence of Phase
        The materials; label k is ``phases[k - 1]``.
    phase_map : array_like
        (rows, columns) labels from 1, or (rows, columns, phases) fractions that sum to one.
    ill : array_like, (rows, columns), optional
        0 where the detector works, k where it gives the k-th kind of `ILL_KINDS`; none by default.
    pixel_size : float, optional
        Distance between pixel centres, nm.
    eds : EDSModel, optional
        Expected EDS spectra of the phases; at 200 keV with the default detector if not given.
    eels : EELSModel, optional
        EELS spectra of the phases; with the default camera at the beam energy of `eds` if not given.
    haadf : HAADFModel, optional
        HAADF intensities of the phases; with the default detector at the beam energy of `eds` if not given.
    drift : Drift, optional
        Movement of the specimen; none by default.
    seed : int, optional
        Seed of all measurements.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    pixel_size : float
        nm.
    materials : tuple of Phase
        The phases in full.
    eds_axis : EnergyAxis
        Channels of the EDS detector, keV.
    eels_axis : EnergyAxis
        Channels of the EELS camera, eV.
    ill_kind : (rows, columns) uint8
        0 = good, k = the k-th of `ILL_KINDS`.

    Raises
    ------
    ValueError
        If maps and phases do not fit together.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        phase_map: ArrayLike,
        *,
        ill: ArrayLike | None = None,
        pixel_size: float = 10.0,
        eds: EDSModel | None = None,
        eels: EELSModel | None = None,
        haadf: HAADFModel | None = None,
        drift: Drift | None = None,
        seed: int = 0,
    ) -> None:
        self._map = PhaseMap(phase_map, len(phases))
        self.shape = self._map.shape
        self.materials = tuple(phases)
        self.pixel_size = pixel_size
        self.ill_kind = np.asarray(np.zeros(self.shape) if ill is None else ill, dtype=np.uint8)
        if self.ill_kind.shape != self.shape or self.ill_kind.max(initial=0) > len(ILL_KINDS):
            raise ValueError(f"ill: give one of 0..{len(ILL_KINDS)} for each of the {self.shape} pixels")
        self._drift = drift or Drift()
        self._seed = seed
        self._eds = eds or EDSModel(phases)
        if len(self._eds.rates) != len(phases):
            raise ValueError(f"eds: the model has {len(self._eds.rates)} phases, the specimen {len(phases)}")
        self._eels = eels or EELSModel(phases, beam_energy=self._eds.beam_energy)
        self._haadf = haadf or HAADFModel(phases, beam_energy=self._eds.beam_energy)
        self.eds_axis: EnergyAxis = self._eds.axis
        self.eels_axis: EnergyAxis = self._eels.axis
        self._source = CountingSource(self._eds.rates)
        self._eds_totals = self._eds.rates.sum(axis=1)

    @classmethod
    def demo(cls, shape: tuple[int, int] = (256, 256), *, seed: int = 0, kind: str = "grains") -> Self:
        """Return a section of a rock: four minerals that share most of their elements, 0.75% of the spectra ill.

        Parameters
        ----------
        shape : tuple of int, optional
            Rows and columns.
        seed : int, optional
            Seed of the map, of the ill spectra and of all measurements.
        kind : str, optional
            One of `PHANTOM_KINDS`.
        """
        fractions = phase_fractions(kind, shape, seed=seed, phases=len(ROCK))
        return cls(ROCK, fractions, ill=ill_map(shape, seed=seed), seed=seed)

    @classmethod
    def flake(
        cls,
        shape: tuple[int, int] = (80, 80),
        *,
        seed: int = 0,
        pixel_size: float = 5.0,
        camera: EELSCamera | None = None,
    ) -> Self:
        """Return a flake of boron nitride over a holey carbon film, for maps of the B, C and N edges.

        Parameters
        ----------
        shape : tuple of int, optional
            Rows and columns.
        seed : int, optional
            Seed of where holes and corners lie, and of all measurements.
        pixel_size : float, optional
            Distance between pixel centres, nm.
        camera : EELSCamera, optional
            What the EELS spectra are recorded with.
        """
        eels = EELSModel(FLAKE_PHASES, axis=FLAKE_AXIS, camera=camera)
        return cls(FLAKE_PHASES, flake_fractions(shape, seed), pixel_size=pixel_size, eels=eels, seed=seed)

    @classmethod
    def alloy(cls, shape: tuple[int, int] = (128, 128), *, seed: int = 0) -> Self:
        """Return a titanium aluminide of two phases with a few precipitates that are poor in titanium.

        Parameters
        ----------
        shape : tuple of int, optional
            Rows and columns.
        seed : int, optional
            Seed of the map and of all measurements.
        """
        return cls(ALLOY_PHASES, alloy_labels(shape, seed), seed=seed)

    @property
    def identity(self) -> str:
        """The same for specimens of the same phases, map and seed."""
        content = hashlib.sha256(f"{self.phases} {self.pixel_size} {self._seed}".encode())
        content.update(self.fractions.tobytes() + self.ill_kind.tobytes())
        return f"virtual {content.hexdigest()[:16]}"

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases; label k is the name k - 1."""
        return tuple(phase.name for phase in self.materials)

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The true phase of each pixel, the largest fraction, (rows, columns) uint8 from 1."""
        return self._map.labels

    @property
    def fractions(self) -> NDArray[np.float32]:
        """The true fraction of each phase in each pixel, (rows, columns, phases) float32."""
        return self._map.fractions

    @property
    def ill(self) -> NDArray[np.bool_]:
        """Where spectra are ill, (rows, columns) bool."""
        return self.ill_kind > 0

    def eds(self, exposure: Exposure) -> dict[str, Any]:
        """Count X-rays during an exposure.

        Parameters
        ----------
        exposure : Exposure
            Where, when, how long and with what current.

        Returns
        -------
        dict
            ``"spectrum"``: (channels,) uint32 counts; ``"live_time"`` and ``"real_time"``: s. The detector is deaf
            for a while after each count (non-paralysable): live time = real time / (1 + rate x dead time per count).
        """
        rates = self._fractions_under(exposure) * self._eds_totals * exposure.current
        live_time = self._eds.detector.live_time(exposure.dwell, float(rates.sum()))
        kind = int(self.ill_kind.flat[self._map.pixel(exposure.row, exposure.column)])
        spectrum = self._count(rates * live_time, kind, self._stream(Stream.EDS, exposure))
        return {"spectrum": spectrum, "live_time": live_time, "real_time": exposure.dwell}

    def haadf(self, exposure: Exposure) -> float:
        """Return the HAADF intensity of an exposure, detected electrons."""
        rng = self._stream(Stream.HAADF, exposure)
        return self._haadf.intensity(self._fractions_under(exposure), exposure, rng)

    def eels(self, exposure: Exposure) -> dict[str, Any]:
        """Return the EELS spectrum of an exposure: ``{"spectrum": (channels,) float32 camera counts}``."""
        rng = self._stream(Stream.EELS, exposure)
        return {"spectrum": self._eels.spectrum(self._fractions_under(exposure), exposure, rng)}

    def eds_bulk(
        self,
        rows: ArrayLike,
        columns: ArrayLike,
        *,
        dwell: float | None = None,
        expected_counts: float | None = None,
        current: float = 100.0,
        visit: int = 0,
    ) -> NDArray[np.uint32]:
        """Return what `eds` would count at many pixels, at clock time zero.

        Parameters
        ----------
        rows, columns : array_like of int, (n,)
            The pixels.
        dwell : float, optional
            Real time at each pixel, s.
        expected_counts : float, optional
            Instead of `dwell`: mean counts of the spectra, as for `eds_dwell`.
        current : float, optional
            Beam current, pA.
        visit : int, optional
            Number of the visit.

        Returns
        -------
        (n, channels) uint32
            Counts.

        Raises
        ------
        ValueError
            If not exactly one of `dwell` and `expected_counts` is given.
        """
        if expected_counts is not None and dwell is None:
            dwell = self.eds_dwell(expected_counts, current)
        elif dwell is None or expected_counts is not None:
            raise ValueError("give either dwell or expected_counts")
        places = np.column_stack([np.ravel(rows), np.ravel(columns)])
        spectra = np.empty((len(places), self.eds_axis.channels), dtype=np.uint32)
        for spectrum, (row, column) in zip(spectra, places.tolist(), strict=True):
            exposure = Exposure(0, row, column, start=0.0, dwell=dwell, current=current, visit=visit)
            spectrum[:] = self.eds(exposure)["spectrum"]
        return spectra

    def eds_dwell(self, counts: float, current: float) -> float:
        """Return the dwell time, s, after which the map's good spectra hold `counts` on average at `current` pA."""
        rates = self._eds_totals * current
        recorded = np.array([rate * self._eds.detector.live_time(1.0, rate) for rate in rates])
        return float(counts / (self._map.area_fractions @ recorded))

    def eds_mean(self, label: int) -> NDArray[np.float64]:
        """Return the expected spectrum of a phase, (channels,) float64 with a sum of one; labels begin at 1."""
        return np.array(self._source.spectra[self._index(label)])

    def element_lines(self, label: int) -> Mapping[str, float]:
        """Return the lines to name in a figure of a phase: ``{"Fe Ka": 6.40, ...}``, keV, strongest first."""
        return element_lines(self.materials[self._index(label)], self._eds)

    def training_spectra(
        self, n_per_phase: int, counts: float, seed: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return good spectra of every phase, from random streams apart from the map's.

        Parameters
        ----------
        n_per_phase : int
            How many of each phase.
        counts : float
            Mean counts of a spectrum, the same for every phase.
        seed : int
            Seed.

        Returns
        -------
        spectra : (n, channels) uint32
            Counts, phase after phase.
        labels : (n,) int64
            Their labels, from 1.
        """
        rng = random_stream(seed, Stream.TRAINING)
        labels = np.repeat(np.arange(1, len(self.materials) + 1), n_per_phase)
        expected = counts * np.eye(len(self.materials))
        return np.array([self._source.draw(expected[label - 1], rng) for label in labels]), labels

    def ill_spectra(self, n: int, counts: float, seed: int, kind: str | None = None) -> NDArray[np.uint32]:
        """Return ill spectra of the phases in turn, from random streams apart from the map's.

        Parameters
        ----------
        n : int
            How many.
        counts : float
            Mean counts of the good spectra that went wrong.
        seed : int
            Seed.
        kind : str, optional
            One of `ILL_KINDS`; all in turn if not given.

        Returns
        -------
        (n, channels) uint32
            Counts.
        """
        rng = random_stream(seed, Stream.ILL)
        spectra = np.empty((n, self.eds_axis.channels), dtype=np.uint32)
        for i in range(n):
            good = counts * self._source.spectra[i // len(ILL_KINDS) % len(self.materials)]
            spectra[i] = rng.poisson(make_ill(good, kind or ILL_KINDS[i % len(ILL_KINDS)], self.eds_axis, rng))
        return spectra

    def _fractions_under(self, exposure: Exposure) -> NDArray[np.float64]:
        row, column = self._drift.displacement(exposure.start)
        return self._map.fractions_at(exposure.row - row / self.pixel_size, exposure.column - column / self.pixel_size)

    def _stream(self, stream: Stream, exposure: Exposure) -> np.random.Generator:
        pixel = self._map.pixel(exposure.row, exposure.column)
        return random_stream(self._seed, stream, pixel, exposure.visit)

    def _count(self, expected: NDArray[np.float64], kind: int, rng: np.random.Generator) -> NDArray[np.uint32]:
        if not kind:
            return self._source.draw(expected, rng)
        good = expected @ self._source.spectra
        return np.asarray(rng.poisson(make_ill(good, ILL_KINDS[kind - 1], self.eds_axis, rng)), dtype=np.uint32)

    def _index(self, label: int) -> int:
        if not 1 <= label <= len(self.materials):
            raise ValueError(f"no phase has label {label}: labels run from 1 to {len(self.materials)}")
        return label - 1
