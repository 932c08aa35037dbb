"""A stored series against a plain twin, and against itself on other workers."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from daisy_bluesky.mfsi import (
    EelsSum,
    SeriesFrames,
    SeriesOptions,
    SpectrumSum,
    Workers,
    edge_map,
    line_maps,
    process_series,
    register,
    window_maps,
)
from daisy_bluesky.specimen import Damage, DriftingSpectrometer, ScanDistortion, VirtualSeries, crystal, particles
from daisy_bluesky.spectra import EnergyAxis

SHAPE, FRAMES = (48, 52), 8
EDS = EnergyAxis(0.0, 0.01, 2048, "keV")
EELS = EnergyAxis(250.0, 2.0, 200, "eV")
LINES = {"Ag La": 2.984, "Se La": 1.379}


@dataclass
class Lossy:
    """Frames that are kept, because they take long to make."""

    images: list
    cubes: list
    energy_shift: Callable

    def image(self, number):
        return self.images[number]

    def cube(self, number):
        return self.cubes[number]


@pytest.fixture(scope="module")
def series():
    return VirtualSeries(crystal(SHAPE), SHAPE, events=4000, seed=3)


@pytest.fixture(scope="module")
def lossy():
    """Energy losses of a titanate that drift by an eV a frame, the drift tube stepped by three more."""
    motif = (("Ti", 0.0, 0.0), ("O", 0.5, 0.5))
    specimen = crystal(SHAPE, pixel_size=0.06, cell=(0.4, 0.4), motif=motif)
    spectrometer = DriftingSpectrometer(axis=EELS, electrons=2e5, energy_drift=1.0)
    series = VirtualSeries(specimen, SHAPE, counts=300, spectrometer=spectrometer, seed=5)
    return Lossy([series.image(k) for k in range(5)], [series.cube(k) for k in range(5)], series.energy_shift)


def frames_of(series, count=FRAMES, **given):
    return SeriesFrames(count, series.image, events=series.events, eds_axis=EDS, **given)


def bits(done):
    arrays = [done.image, done.exposure]
    arrays += [done.placement.displacement(number) for number in done.placement.used]
    arrays += [array for each in done.maps.values() for array in (each.net, each.variance, each.exposure)]
    arrays += [each.fractions for each in done.screes]
    if done.events is not None:
        arrays += [done.events.counted.events(), done.events.native.events()]
    if done.spectra is not None:
        arrays.append(done.spectra.total.volume())
    if done.motif is not None:
        arrays += [done.motif.image, done.motif.repeats.positions, *done.motif.pictures.values()]
    return [array.tobytes() for array in arrays]


def test_it_is_what_registering_and_summing_frame_by_frame_gives(series):
    done = process_series(frames_of(series), SeriesOptions(lines=LINES, upsample=3, information=False))
    images = np.stack([series.image(number) for number in range(FRAMES)])
    registration = register(images)
    total = SpectrumSum(SHAPE, EDS.channels, upsample=3)
    for number in range(FRAMES):
        total.add(series.events(number), registration.displacement(number), frame=number)
    np.testing.assert_array_equal(done.image, registration.image(3))
    for name, expected in line_maps(total, EDS, LINES).items():
        np.testing.assert_allclose(done.maps[name].net, expected.net, atol=1e-9)
        np.testing.assert_allclose(done.maps[name].variance, expected.variance, atol=1e-9)
        np.testing.assert_array_equal(done.maps[name].exposure, total.exposure)
    assert done.events.counted.counts == total.counts


@pytest.mark.parametrize(("scheduler", "count"), [("synchronous", 1), ("threads", 2), ("threads", 3), ("processes", 2)])
def test_any_workers_give_the_same_bits(series, scheduler, count):
    frames = frames_of(series)
    options = SeriesOptions(lines=LINES, upsample=2, motif=(8, 8, 24, 24))
    serial = process_series(frames, options)
    with Workers(count, scheduler) as workers:
        parallel = process_series(frames, options, mapping=workers.map)
    assert bits(parallel) == bits(serial)


def test_energy_losses_of_repeats_are_folded_with_the_image(lossy):
    frames = SeriesFrames(5, lossy.image, spectra=lossy.cube, eels_axis=EELS)
    options = SeriesOptions(edges={"Ti L3": 454.6}, energy_alignment=(420.0, 520.0), upsample=2, motif=(8, 8, 14, 14))
    done = process_series(frames, options)
    folded = done.motif.spectra
    assert folded.shape == (*done.motif.image.shape, EELS.channels)
    total = done.spectra.total
    rate = total.volume()[10:-10, 10:-10].sum(axis=(0, 1)) / total.exposure[10:-10, 10:-10].sum()
    low, high = total.covered_channels
    assert np.nanmean(folded[..., low:high]) == pytest.approx(rate[low:high].mean(), rel=0.05)
    start = round((456.0 - EELS.offset) / EELS.dispersion)
    titanium = folded[..., start : start + 10].sum(axis=2)
    assert np.corrcoef(titanium.ravel(), done.motif.image.ravel())[0, 1] > 0.7


def test_energy_losses_too_come_out_the_same_from_any_workers(lossy):
    frames = SeriesFrames(5, lossy.image, spectra=lossy.cube, eels_axis=EELS)
    options = SeriesOptions(edges={"Ti L3": 454.6}, energy_alignment=(420.0, 520.0))
    serial = process_series(frames, options)
    with Workers(2) as workers:
        assert bits(process_series(frames, options, mapping=workers.map)) == bits(serial)


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs the extra cluster")
def test_a_cluster_gives_the_same_bits(series):
    from distributed import LocalCluster

    options = SeriesOptions(lines=LINES)
    serial = process_series(frames_of(series), options)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Workers(2, cluster.scheduler_address) as workers,
    ):
        assert bits(process_series(frames_of(series), options, mapping=workers.map)) == bits(serial)


def stepped(series, step, number):
    """Spectra of a frame on a camera that the drift tube has moved by `step` channels a frame."""
    return np.roll(series.cube(number), -step * number, axis=2)


def test_energies_are_aligned_on_an_edge_before_spectra_are_moved(lossy):
    offsets = tuple(EELS.offset + 3 * EELS.dispersion * number for number in range(5))
    frames = SeriesFrames(5, lossy.image, spectra=partial(stepped, lossy, 3), eels_axis=EELS, energy_offsets=offsets)
    options = SeriesOptions(edges={"Ti L3": 454.6}, energy_alignment=(420.0, 520.0), information=False)
    done = process_series(frames, options)
    true = EelsSum(SHAPE, EELS.channels)
    first = lossy.energy_shift(0).mean() / EELS.dispersion
    for number in range(5):
        shift = first - lossy.energy_shift(number) / EELS.dispersion
        true.add(lossy.cube(number), done.placement.displacement(number), energy_shift=shift)
    low, high = 80, 140
    found = done.spectra.total.volume((low, high)).sum(axis=(0, 1))
    expected = true.volume((low, high)).sum(axis=(0, 1))
    unaligned = sum(lossy.cube(number) for number in range(5)).sum(axis=(0, 1))[low:high]
    assert np.abs(found - expected).max() < 0.25 * np.abs(unaligned - expected).max()
    assert done.noise.gain == pytest.approx(10 * (1 + 0.5**2), rel=0.15)  # the camera's
    assert done.noise.read_noise == pytest.approx(8.0, rel=0.3)


def test_a_frame_that_cannot_be_used_is_left_out_with_its_reason(series):
    def image(number):
        found = series.image(number)
        return np.full_like(found, 7.0) if number == 3 else found

    def events(number):
        found = series.events(number)
        if number == 5:
            found["row"][0] = SHAPE[0]
        return found

    frames = SeriesFrames(FRAMES, image, events=events, eds_axis=EDS)
    done = process_series(frames, SeriesOptions(lines=LINES))
    assert set(done.placement.excluded) == {3}
    assert "blank" in done.placement.excluded[3]
    assert set(done.excluded_spectra) == {5}
    assert "row" in done.excluded_spectra[5]
    assert done.events.native.frames == (0, 1, 2, 4, 6, 7)


def test_rigid_moves_whole_frames_by_their_mean_displacement(series):
    free, rigid = (process_series(frames_of(series), SeriesOptions(rigid=flag)) for flag in (False, True))
    for number in range(FRAMES):
        field = rigid.placement.displacement(number)
        assert np.ptp(field, axis=(0, 1)).max() == 0
        np.testing.assert_allclose(field[0, 0], free.placement.displacement(number).mean(axis=(0, 1)), atol=1e-12)


@pytest.mark.parametrize("area", ["frame", "common", "full"])
def test_image_and_maps_show_the_same_field(series, area):
    drifting = VirtualSeries(crystal(SHAPE), SHAPE, events=2000, scan=ScanDistortion(drift=(1.3, -0.9), seed=2), seed=2)
    done = process_series(frames_of(drifting), SeriesOptions(lines=LINES, upsample=2, area=area))
    assert done.image.shape == done.maps["Ag La"].net.shape
    covered = done.exposure > 0.05 * FRAMES
    np.testing.assert_allclose(done.exposure[2:-2, 2:-2], done.maps["Ag La"].exposure[2:-2, 2:-2], atol=0.02)
    assert np.isfinite(done.image[covered]).all()
    rows = {"frame": 2 * SHAPE[0], "common": 2 * SHAPE[0] - 12, "full": 2 * SHAPE[0] + 12}[area]
    assert {"frame": rows == done.image.shape[0], "common": done.image.shape[0] < rows,
            "full": done.image.shape[0] > rows}[area]  # fmt: skip


def test_a_bilinear_sum_is_mapped_and_its_counts_are_those_of_whole_photons(series):
    done = process_series(frames_of(series), SeriesOptions(lines=LINES, upsample=2, assignment="bilinear"))
    dithered = process_series(frames_of(series), SeriesOptions(lines=LINES, upsample=2))
    assert done.maps["Ag La"].net.sum() == pytest.approx(dithered.maps["Ag La"].net.sum(), rel=0.02)
    assert done.events.counted is done.events.native


def test_areas_of_a_crystal_are_laid_upon_each_other():
    areas = [VirtualSeries(crystal(SHAPE), SHAPE, events=2000, seed=seed) for seed in range(3)]
    moved = np.array([[0.0, 0.0], [1.5, -2.0], [-1.0, 1.0]])
    origins = [crystal(SHAPE).positions + shift for shift in moved]
    for series, positions in zip(areas, origins, strict=True):
        object.__setattr__(series.specimen, "positions", positions)

    def read(what, number):
        return getattr(areas[number // 4], what)(number % 4)

    frames = SeriesFrames(
        12, partial(read, "image"), events=partial(read, "events"), eds_axis=EDS, areas=tuple(np.repeat([0, 1, 2], 4))
    )
    done = process_series(frames, SeriesOptions(lines=LINES))
    assert done.placement.used == list(range(12))
    apart = [
        done.placement.displacement(4 * area).mean(axis=(0, 1))
        - areas[area].displacement(0).mean(axis=(0, 1))
        + moved[area]
        for area in range(3)
    ]
    from_first = np.array(apart) - apart[0]
    lattice = np.linalg.inv(crystal_vectors())
    assert np.abs(from_first @ lattice - np.rint(from_first @ lattice)).max() < 0.05


def crystal_vectors():
    turn = np.radians(7.0)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (matrix @ np.diag([0.604 / 0.056, 0.565 / 0.056])).T


def test_what_exceeds_the_memory_limit_is_refused_before_anything_is_read(lossy):
    def spectra(number):
        raise AssertionError("a frame of spectra was read")

    frames = SeriesFrames(5, lossy.image, spectra=spectra, eels_axis=EELS)
    with pytest.raises(MemoryError, match=r"upsampled 8 times needs .* GiB, more than memory_limit"):
        process_series(frames, SeriesOptions(upsample=8, memory_limit=50_000_000))


def test_each_worker_has_one_frame_in_hand():
    waiting, most = [], []

    def numbers():
        for number in range(40):
            waiting.append(number)
            yield number

    with Workers(2) as workers:
        most += [len(waiting) - number for number in workers.map(abs, numbers())]
    assert max(most) <= 2
    assert len(most) == 40


@pytest.mark.parametrize(
    ("given", "named"),
    [({"count": 0}, "workers"), ({"scheduler": "gpu"}, "scheduler is 'gpu'")],
)
def test_workers_that_do_not_exist_are_named(given, named):
    with pytest.raises(ValueError, match=named):
        Workers(**given)


def test_a_series_without_repeats_is_processed_and_its_motif_refused():
    series = VirtualSeries(particles(SHAPE, density=0.01), SHAPE, events=2000, seed=1)
    frames = frames_of(series)
    assert process_series(frames).placement.excluded == {}
    with pytest.raises(ValueError, match="periodic"):
        process_series(frames, SeriesOptions(motif="found"))


def test_maps_of_windows_are_those_of_listed_events(series):
    total = SpectrumSum(SHAPE, EDS.channels, upsample=2)
    total.add(series.events(0), np.zeros((*SHAPE, 2)))
    for name, expected in line_maps(total, EDS, LINES).items():
        found = window_maps(total, EDS, LINES)[name]
        np.testing.assert_allclose(found.net, expected.net, atol=1e-9)
        np.testing.assert_allclose(found.variance, expected.variance, atol=1e-9)


def test_what_a_series_must_have_is_said():
    with pytest.raises(ValueError, match="at least two frames"):
        SeriesFrames(1, np.zeros)
    with pytest.raises(ValueError, match="energy axis"):
        SeriesFrames(2, np.zeros, events=np.zeros)
    with pytest.raises(ValueError, match="areas has 3 entries for 2 frames"):
        SeriesFrames(2, np.zeros, areas=(0, 0, 1))


def test_frames_of_unequal_shape_are_refused(series):
    frames = SeriesFrames(4, lambda number: series.image(number)[: SHAPE[0] - number])
    with pytest.raises(ValueError, match="one shape only"):
        process_series(frames)


def test_edges_are_those_of_an_eels_sum(lossy):
    frames = SeriesFrames(4, lossy.image, spectra=lossy.cube, eels_axis=EELS)
    done = process_series(frames, SeriesOptions(edges={"Ti L3": 454.6}, noise_gain=12.5, information=False))
    total = EelsSum(SHAPE, EELS.channels)
    for number in range(4):
        total.add(lossy.cube(number), done.placement.displacement(number))
    expected = edge_map(total, EELS, 454.6, noise_gain=12.5)
    np.testing.assert_array_equal(done.maps["Ti L3"].net, expected.net)
    np.testing.assert_array_equal(done.maps["Ti L3"].variance, expected.variance)


def test_columns_that_drift_out_of_a_small_field_are_no_damage():
    """Ten columns along an edge come and go with the drift: as many as 5% of the counts would fade."""
    series = VirtualSeries(
        crystal(SHAPE), SHAPE, events=2e5, scan=ScanDistortion(drift=(0.4, 0.5), walk=0.0, seed=1), seed=1
    )
    done = process_series(frames_of(series, 12), SeriesOptions(lines={"Zn Ka": 8.631}, information=False))
    assert done.damage == {}


@pytest.mark.parametrize(
    ("damage", "noticed", "change"),
    [(Damage(mass_loss={"Zn": 2e7}), "Zn Ka", -1), (Damage(contamination=3e-8), "C Ka", 1)],
)
def test_a_line_that_fades_or_carbon_that_grows_is_noticed_and_nothing_else(damage, noticed, change):
    series = VirtualSeries(crystal(SHAPE), SHAPE, events=1e5, damage=damage, current=17.0, dwell=1e-3, seed=1)
    done = process_series(frames_of(series, 12), SeriesOptions(lines={"Zn Ka": 8.631, **LINES}, information=False))
    assert set(done.damage) == {noticed}
    assert np.sign(done.damage[noticed].change) == change


def test_spectra_that_are_not_finite_are_left_out_wherever_they_are(lossy):
    def spectra(number):
        found = lossy.cube(number).copy()
        if number in (0, 2):
            found[3, 4, 5] = np.nan
        return found

    frames = SeriesFrames(5, lossy.image, spectra=spectra, eels_axis=EELS)
    done = process_series(frames, SeriesOptions(edges={"Ti L3": 454.6}, energy_alignment=(420.0, 520.0)))
    assert set(done.excluded_spectra) == {0, 2}
    assert done.spectra.total.frames == (1, 3, 4)
    assert done.placement.used == [0, 1, 2, 3, 4]


def test_energy_losses_of_a_field_that_only_some_frames_show_are_refused(lossy):
    frames = SeriesFrames(5, lossy.image, spectra=lossy.cube, eels_axis=EELS)
    with pytest.raises(ValueError, match="area full is for X-ray events"):
        process_series(frames, SeriesOptions(area="full"))
