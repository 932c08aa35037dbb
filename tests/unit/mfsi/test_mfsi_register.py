"""Registration of virtual series against what was done to them."""

import numpy as np
import pytest

from daisy_bluesky.bench._displacement_error import displacement_error
from daisy_bluesky.mfsi import AlignedSum, Registrar, Registration, register
from daisy_bluesky.specimen import ScanDetector, ScanDistortion, VirtualSeries, crystal, particles

SHAPE = (64, 72)


def series(seed=0, *, scan=None, specimen=None, shape=SHAPE, **options):
    scan = {"drift": (0.3, 0.2), "walk": 0.1, **(scan or {})}
    specimen = specimen or crystal(shape, margin=60, seed=seed)
    return VirtualSeries(specimen, shape, scan=ScanDistortion(seed=seed, **scan), seed=seed, **options)


def frames_of(virtual, number):
    return np.array([virtual.image(frame) for frame in range(number)])


def errors(registration, virtual):
    numbers = [int(number) for number in registration.numbers]
    found = np.array([registration.displacement(number) for number in numbers])
    return displacement_error(found, np.array([virtual.displacement(number) for number in numbers]))


@pytest.fixture(scope="module")
def registered():
    virtual = series()
    frames = frames_of(virtual, 12)
    return virtual, frames, register(frames)


def test_finds_shifts_and_rows(registered):
    virtual, _, registration = registered
    error = errors(registration, virtual)
    assert error.jumps == 0
    assert error.frame.max() < 0.015
    assert error.row.max() < 0.06  # rigid alone: 0.12 and 0.30


def test_states_its_own_error(registered):
    virtual, _, registration = registered
    error = errors(registration, virtual)
    assert registration.error.shape == (12, 2)
    np.testing.assert_allclose(np.sqrt((registration.error**2).mean(axis=0)), error.field, rtol=0.4)


def test_mean_shift_is_zero(registered):
    _, _, registration = registered
    assert np.abs(np.mean([registration.shift(frame) for frame in range(12)], axis=0)).max() < 0.05


@pytest.mark.parametrize("detector", [ScanDetector(gain=30.0, offset=500.0, read_noise=20.0, afterglow=0.1)])
def test_gain_and_offset_of_the_detector_do_not_matter(detector):
    virtual = series(detector=detector)
    error = errors(register(frames_of(virtual, 12)), virtual)
    assert error.jumps == 0
    assert error.row.max() < 0.07


@pytest.mark.parametrize("number", [2, 3])
def test_registers_very_few_frames(number):
    virtual = series(1)
    error = errors(register(frames_of(virtual, number)), virtual)
    assert error.jumps == 0
    assert error.frame.max() < 0.03
    assert error.row[0] < 0.075  # half of the difference of two frames left as they were: 0.12 / sqrt(2)
    assert error.row[1] < 0.12  # 0.30 / sqrt(2)


def test_two_frames_meet_halfway():
    virtual = series(1, shape=(128, 128))
    registration = register(frames_of(virtual, 2))
    apart = registration.displacement(0) - registration.displacement(1)
    truly = virtual.displacement(0) - virtual.displacement(1)
    off = (apart - truly).mean(axis=1)
    np.testing.assert_array_less((off - off.mean(axis=0)).std(axis=0), (0.085, 0.16))  # apart by 0.17 and 0.42
    np.testing.assert_allclose(
        np.sqrt((registration.error**2).mean()), np.mean(errors(registration, virtual).field), rtol=0.6
    )


def test_no_lattice_period_is_jumped_at_ten_counts_and_two_pixels_a_frame():
    virtual = series(2, scan={"drift": (1.6, 1.2)}, counts=10.0)
    error = errors(register(frames_of(virtual, 16)), virtual)
    assert error.jumps == 0
    assert error.row.max() < 0.2


def test_particles_that_do_not_repeat():
    virtual = series(3, specimen=particles(SHAPE, density=0.01, seed=3))
    error = errors(register(frames_of(virtual, 12)), virtual)
    assert error.jumps == 0
    assert error.frame.max() < 0.05


def test_mains_are_found_and_rows_that_jump_are_followed():
    shape = (128, 128)
    scan = {"mains": (0.0, 0.24), "mains_period": 20.3, "outlier_rows": 0.02, "field_length": 40.0}
    virtual = series(4, scan=scan, shape=shape)
    registration = register(frames_of(virtual, 12))
    line = shape[1] + virtual.scan.fly_back
    expected = np.array([line / 20.3 % 1, 1 / 20.3])
    assert len(registration.waves) >= 1
    off = (registration.waves[0] - expected + 0.5) % 1 - 0.5
    assert np.abs(off).max() < 5e-4
    error = errors(registration, virtual)
    assert error.field[0] < 0.06
    assert error.field[1] < 0.08


def test_no_mains_are_invented(registered):
    assert len(registered[2].waves) == 0


def test_shear_is_recovered_from_the_drift():
    virtual = series(5, scan={"drift": (0.4, 2.0), "walk": 0.05})
    registration = register(frames_of(virtual, 12))
    common = registration.common_distortion
    assert common.known
    assert common.shear == pytest.approx(np.degrees(np.arctan(2.0 / SHAPE[0])), rel=0.05)
    assert common.stretch == pytest.approx(0.4 / SHAPE[0], rel=0.2)
    found = np.mean([registration.displacement(i) for i in range(12)], axis=0)
    lean = np.polyfit(np.arange(SHAPE[0]), found[..., 1].mean(axis=1), 1)[0]
    assert lean == pytest.approx(2.0 / SHAPE[0], rel=0.15)


def test_shear_without_drift_is_unknown():
    virtual = series(6, scan={"drift": (0.0, 0.0), "walk": 0.3})
    common = register(frames_of(virtual, 6)).common_distortion
    assert not common.known
    assert np.isnan(common.shear)
    assert not common.matrix.any()


def test_blank_saturated_and_broken_frames_are_left_out_and_named():
    virtual = series(7)
    frames = frames_of(virtual, 12)
    rng = np.random.default_rng(0)
    frames[3] = rng.poisson(1.0, SHAPE)
    frames[5] = np.nan
    frames[6] = 0
    frames[8] = np.minimum(frames[8], 70.0)
    registration = register(frames)
    assert set(registration.excluded) == {3, 5, 6, 8}
    assert "blank" in registration.excluded[3]
    assert "not finite" in registration.excluded[5]
    assert "blank" in registration.excluded[6]
    assert "saturated" in registration.excluded[8]
    assert errors(registration, virtual).jumps == 0
    assert np.nanmin(registration.image()) > 0.3 * frames[0].mean()
    with pytest.raises(ValueError, match="frame 3 was left out: blank"):
        registration.displacement(3)


def test_a_series_may_begin_with_frames_of_no_use():
    virtual = series(7)
    frames = frames_of(virtual, 8)
    frames[0], frames[1, 3, 3] = 0, np.nan
    registration = register(frames)
    assert registration.excluded == {0: "blank: every pixel is 0", 1: "not finite: 1 of its pixels"}
    np.testing.assert_array_equal(registration.numbers, range(2, 8))
    assert errors(registration, virtual).jumps == 0


def test_a_frame_of_something_else_is_left_out():
    virtual = series(8)
    frames = frames_of(virtual, 10)
    frames[6] = series(9, specimen=particles(SHAPE, seed=9)).image(0)
    assert "does not match" in register(frames).excluded[6]


def test_unequal_shapes_and_too_few_frames_are_refused():
    virtual = series()
    with pytest.raises(ValueError, match="64 x 72"):
        register([virtual.image(0), virtual.image(1)[:50]])
    with pytest.raises(ValueError, match="at least two frames"):
        register([virtual.image(0)])
    with pytest.raises(ValueError, match="two usable frames, and has 1"):
        register([virtual.image(0), np.zeros(SHAPE)])
    with pytest.raises(ValueError, match=r"two usable frames, and has 0 \(frame 0: saturated: .*; frame 1: "):
        register([np.minimum(virtual.image(frame), 60.0) for frame in range(3)])
    with pytest.raises(ValueError, match="real numbers, not of complex128"):
        register(np.zeros((3, 32, 32), complex))
    with pytest.raises(ValueError, match=r"two usable frames, and has 0$"):
        Registrar().registration()
    with pytest.raises(ValueError, match="16 x 16"):
        register(np.zeros((3, 8, 8)))


def test_incremental_registration_agrees_with_the_truth():
    virtual = series(10)
    registrar = Registrar()
    found = np.array([registrar.add(virtual.image(frame)) for frame in range(12)])
    truth = np.array([virtual.displacement(frame) for frame in range(12)])
    assert displacement_error(found[4:], truth[4:]).row.max() < 0.15
    assert errors(registrar.registration(), virtual).jumps == 0


def test_dask_gives_the_same_bits(registered):
    from dask import compute, delayed

    _, frames, expected = registered

    def in_parallel(function, *iterables):
        return compute(*(delayed(function)(*values) for values in zip(*iterables, strict=True)), scheduler="threads")

    registration = register(frames, mapping=in_parallel)
    np.testing.assert_array_equal(registration.coefficients, expected.coefficients)
    np.testing.assert_array_equal(registration.rows, expected.rows)


def test_registration_survives_being_stored(registered, tmp_path):
    _, frames, registration = registered
    np.savez(tmp_path / "registration.npz", **registration.to_arrays())
    with np.load(tmp_path / "registration.npz", allow_pickle=False) as stored:
        again = Registration.from_arrays(stored, frames)
    for frame in (0, 7, 11):
        np.testing.assert_allclose(again.displacement(frame), registration.displacement(frame), atol=1e-5)
    assert sum(array.nbytes for array in registration.to_arrays().values()) < 0.05 * 8 * frames.size
    np.testing.assert_allclose(again.image(), registration.image(), rtol=1e-3)


def test_aligned_image_shows_the_specimen(registered):
    virtual, frames, registration = registered
    still = virtual.specimen.image(np.zeros((*SHAPE, 2)))
    inside = (slice(8, -8), slice(8, -8))
    shift = np.mean([virtual.displacement(i) for i in range(12)], axis=(0, 1, 2))
    seen = virtual.specimen.image(np.broadcast_to(shift, (*SHAPE, 2)).copy())

    def likeness(image):
        return np.corrcoef(image[inside].ravel(), seen[inside].ravel())[0, 1]

    assert still.shape == registration.image().shape
    assert likeness(registration.image()) > 0.97
    assert likeness(frames.mean(axis=0)) < 0.9


def test_image_on_a_finer_grid_lies_where_it_should(registered):
    _, _, registration = registered
    fine = registration.image(3)
    assert fine.shape == (3 * SHAPE[0], 3 * SHAPE[1])
    inside = (slice(8, -8), slice(8, -8))
    centre = fine[1::3, 1::3][inside]
    assert np.corrcoef(centre.ravel(), registration.image()[inside].ravel())[0, 1] > 0.97
    for wrong in (0, 9, 2.5):
        with pytest.raises(ValueError, match=f"upsample is {wrong}; it must be a whole number from 1 to 8"):
            registration.image(wrong)


def test_an_image_too_large_for_memory_is_refused_before_it_is_made(registered):
    with pytest.raises(MemoryError, match=r"the aligned image needs 16 GiB, more than memory_limit .* lower upsample"):
        AlignedSum((8192, 8192), upsample=4)
    with pytest.raises(MemoryError, match="memory_limit"):
        registered[2].image(2, memory_limit=4 * 16 * SHAPE[0] * SHAPE[1] - 1)
    assert registered[2].image(2, memory_limit=4 * 16 * SHAPE[0] * SHAPE[1]).shape == (128, 144)
