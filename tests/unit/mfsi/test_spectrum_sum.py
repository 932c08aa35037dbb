import dask
import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.mfsi import SpectrumSum, moved_frame

SHAPE, CHANNELS = (12, 15), 40
FIELDS = [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint16)]


def frames_of(n, seed=0, mean=0.05, shape=SHAPE, spread=0.4):
    """Dense counts, their events, and displacement fields."""
    rng = np.random.default_rng(seed)
    dense = rng.poisson(mean, (n, *shape, CHANNELS))
    fields = rng.normal(0, spread, (n, *shape, 2)) + rng.normal(0, 1, (n, 1, 1, 2))
    return dense, [listed(cube) for cube in dense], fields


def listed(cube):
    places = np.argwhere(cube)
    events = np.zeros(len(places), FIELDS)
    events["row"], events["column"], events["channel"] = places.T
    events["count"] = cube[tuple(places.T)]
    return events


def plain_positions(field, upsample):
    """Output coordinates of the pixels, in plain NumPy."""
    rows, columns = field.shape[:2]
    pixels = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1)
    return (pixels + field) * upsample + (upsample - 1) / 2


def plain_sum(dense, fields, upsample, weights):
    """Counts and exposure by splatting dense frames, weight by weight."""
    shape = (dense.shape[1] * upsample, dense.shape[2] * upsample)
    counts, exposure = np.zeros((*shape, CHANNELS)), np.zeros(shape)
    for cube, field in zip(dense, fields, strict=True):
        for (r, c), (y, x) in zip(
            np.ndindex(cube.shape[:2]), plain_positions(field, upsample).reshape(-1, 2), strict=True
        ):
            for k, m, weight in weights(y, x):
                if 0 <= k < shape[0] and 0 <= m < shape[1]:
                    counts[k, m] += weight * cube[r, c]
                    exposure[k, m] += weight
    return counts, exposure


def nearest(y, x):
    return [(int(np.floor(y + 0.5)), int(np.floor(x + 0.5)), 1.0)]


def bilinear(y, x):
    k, m = int(np.floor(y)), int(np.floor(x))
    v, u = y - k, x - m
    return [(k, m, (1 - v) * (1 - u)), (k + 1, m, v * (1 - u)), (k, m + 1, (1 - v) * u), (k + 1, m + 1, v * u)]


def filled(dense, fields, order=None, **options):
    total = SpectrumSum(dense.shape[1:3], CHANNELS, **options)
    for i in order if order is not None else range(len(dense)):
        total.add(listed(dense[i]), fields[i], frame=i)
    return total


@pytest.mark.parametrize("upsample", [1, 3, 4, 8])
def test_nearest_counts_agree_with_dense_frames_moved_pixel_by_pixel(upsample):
    dense, _, fields = frames_of(3)
    fields = np.round(fields * 8 * upsample) / (8 * upsample) + 1 / 32 / upsample  # away from ties
    total = filled(dense, fields, upsample=upsample, assignment="nearest")
    counts, exposure = plain_sum(dense, fields, upsample, nearest)
    np.testing.assert_array_equal(total.volume(), counts)
    np.testing.assert_allclose(total.exposure, exposure, rtol=1e-12)
    np.testing.assert_array_equal(total.maps([(0, 10), (5, 40)])[1], counts[..., 5:].sum(-1))


@pytest.mark.parametrize("upsample", [1, 4])
def test_bilinear_maps_and_the_exposure_agree_with_dense_splatting(upsample):
    dense, _, fields = frames_of(3)
    fields = np.round(fields * 64) / 64  # exact in 1/256 output pixel
    total = filled(dense, fields, upsample=upsample, assignment="bilinear")
    counts, exposure = plain_sum(dense, fields, upsample, bilinear)
    np.testing.assert_allclose(total.maps([(3, 17)])[0], counts[..., 3:17].sum(-1), atol=1e-9)
    np.testing.assert_allclose(total.exposure, exposure, atol=1e-9)
    dithered = filled(dense, fields, upsample=upsample)
    np.testing.assert_allclose(dithered.exposure, exposure, atol=1e-9)


def test_frames_that_do_not_move_come_back_unchanged():
    dense, _, fields = frames_of(2)
    total = filled(dense, 0 * fields)
    np.testing.assert_array_equal(total.volume(), dense.sum(0))
    np.testing.assert_array_equal(total.exposure, 2.0)
    places = np.argwhere(dense.sum(0))
    events = total.events()
    np.testing.assert_array_equal(np.stack([events["row"], events["column"], events["channel"]], 1), places)
    np.testing.assert_array_equal(events["count"], dense.sum(0)[tuple(places.T)])


def test_dithering_spreads_photons_by_the_bilinear_weights_and_keeps_poisson_statistics():
    rng = np.random.default_rng(3)
    shape, n = (150, 150), 20
    field = np.stack([np.full(shape, 0.3), np.full(shape, -0.45)], -1)
    values = {}
    for assignment in ("dithered", "bilinear"):
        total = SpectrumSum(shape, 1, assignment=assignment, seed=1)
        for _ in range(n):
            total.add(listed(rng.poisson(2.0, (*shape, 1))), field)
        values[assignment] = (total.maps([(0, 1)])[0] / total.exposure)[2:-2, 2:-2] * n
    fano = {name: value.var() / value.mean() for name, value in values.items()}
    assert abs(fano["dithered"] - 1) < 0.05
    assert abs(fano["bilinear"] - (0.7**2 + 0.3**2) * (0.55**2 + 0.45**2)) < 0.03  # of weights squared
    neighbours = [
        np.corrcoef(value[:, :-1].ravel(), value[:, 1:].ravel())[0, 1]
        for value in (values["dithered"], values["bilinear"])
    ]
    assert abs(neighbours[0]) < 0.03 < 0.1 < neighbours[1]


def test_dithered_counts_of_one_place_follow_the_bilinear_weights():
    events = np.zeros(1, FIELDS)
    events["row"], events["column"], events["count"] = 5, 6, 60_000
    total = SpectrumSum(SHAPE, CHANNELS)
    total.add(events, np.broadcast_to([0.25, -0.125], (*SHAPE, 2)))
    found = total.maps([(0, 1)])[0][5:7, 5:7] / 60_000
    np.testing.assert_allclose(found, np.outer([0.75, 0.25], [0.125, 0.875]), atol=0.008)


def test_neither_the_order_of_frames_nor_merging_changes_a_bit():
    dense, _, fields = frames_of(7)
    one = filled(dense, fields, upsample=4, seed=5)
    backwards = filled(dense, fields, order=range(6, -1, -1), upsample=4, seed=5)
    parts = [filled(dense, fields, order=part, upsample=4, seed=5) for part in ([4, 1], [0], [6, 2, 3, 5])]
    parts[0].merge(*parts[1:])
    for other in (backwards, parts[0]):
        np.testing.assert_array_equal(one.volume(), other.volume())
        assert one.exposure.tobytes() == other.exposure.tobytes()
        assert one.display([(0, 9)]).tobytes() == other.display([(0, 9)]).tobytes()
    assert (filled(dense, fields, upsample=4, seed=6).volume() != one.volume()).any()


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_frames_moved_by_workers_give_the_same_sum(scheduler):
    dense, events, fields = frames_of(4)
    one = filled(dense, fields, upsample=2)
    move = dask.delayed(moved_frame)
    jobs = [
        move(e, f, frame=i, channels=CHANNELS, upsample=2) for i, (e, f) in enumerate(zip(events, fields, strict=True))
    ]
    total = SpectrumSum(SHAPE, CHANNELS, upsample=2)
    for moved in dask.compute(*jobs, scheduler=scheduler, num_workers=2):
        total.include(moved)
    np.testing.assert_array_equal(one.volume(), total.volume())
    assert one.exposure.tobytes() == total.exposure.tobytes()


def test_full_area_keeps_every_photon_and_common_area_is_covered_by_every_frame():
    dense, _, fields = frames_of(4, spread=0)
    fields[..., 0] += np.arange(4)[:, None, None] * 1.7
    full = filled(dense, fields, upsample=2, area="full")
    assert full.volume().sum() == dense.sum()
    assert full.exposure.sum() == pytest.approx(4 * dense[0, ..., 0].size)
    common = filled(dense, fields, upsample=2, area="common", kernel_width=2)
    assert 0 < common.exposure.size < full.exposure.size
    np.testing.assert_allclose(common.exposure[1:-1, 1:-1], 4 / 2**2, rtol=0.02)  # 4 frames over 2 x 2
    frame = filled(dense, fields, upsample=2)
    top, left = (round((a - b) * 2) for a, b in zip(common.origin, frame.origin, strict=True))
    rows, columns = common.exposure.shape
    wide = filled(dense, fields, upsample=2, kernel_width=2)
    np.testing.assert_array_equal(common.volume(), wide.volume()[top : top + rows, left : left + columns])


def test_common_area_of_an_unmoved_frame_is_all_of_it():
    total = SpectrumSum(SHAPE, CHANNELS, upsample=4, area="common")
    total.add(np.zeros(0, FIELDS), np.zeros((*SHAPE, 2)))
    assert total.exposure.shape == (48, 60)
    assert total.origin == (-0.375, -0.375)


def test_a_sum_without_frames_has_nothing_to_show():
    for area in ("frame", "common", "full"):
        total = SpectrumSum(SHAPE, CHANNELS, area=area)
        assert not total.volume().any()
        assert not total.maps([(0, 3)]).any()
        assert np.isnan(total.display([(0, 3)])).all()


def test_exposure_is_counted_apart_and_pixels_without_any_are_left_out():
    dense, events, fields = frames_of(1)
    live = np.full(SHAPE, 0.5)
    live[3] = 0
    total = SpectrumSum(SHAPE, CHANNELS)
    total.add(events[0], 0 * fields[0], exposure=live)
    np.testing.assert_array_equal(total.exposure, live)
    np.testing.assert_array_equal(total.volume()[3], 0)
    np.testing.assert_array_equal(total.volume()[4:], dense[0][4:])


def test_display_fills_holes_of_few_frames_and_recovers_the_rate():
    rng = np.random.default_rng(0)
    shape = (30, 30)
    for assignment in ("nearest", "dithered"):
        total = SpectrumSum(shape, 1, upsample=4, assignment=assignment)
        for _ in range(8):
            field = np.broadcast_to(rng.uniform(-0.5, 0.5, 2), (*shape, 2))
            total.add(listed(rng.poisson(50.0, (*shape, 1))), field)
        if assignment == "nearest":
            assert np.mean(total.exposure[8:-8, 8:-8] == 0) > 0.4
        shown = total.display([(0, 1)])[0]
        assert np.isfinite(shown).all()
        assert shown[8:-8, 8:-8].mean() == pytest.approx(50, rel=0.02)


def test_upsampling_restores_what_the_pixels_of_one_frame_hide():
    rng = np.random.default_rng(0)
    shape, period = (16, 16), 2.3

    def rate(column):
        return 40 * (1 + np.cos(2 * np.pi * column / period))

    total = SpectrumSum(shape, 1, upsample=4)
    for _ in range(80):
        shift = rng.uniform(-0.5, 0.5, 2)
        seen = rate(np.arange(16) + shift[1]) * np.ones((16, 1))
        total.add(listed(rng.poisson(seen)[..., None]), np.broadcast_to(shift, (*shape, 2)))
    profile = (total.maps([(0, 1)])[0] / total.exposure)[8:-8].mean(0)[8:-8]
    places = (np.arange(8, 56) - 1.5) / 4
    wave = np.cos(2 * np.pi * places / period)
    gain = np.polyfit(wave, profile, 1)[0] / 40
    box = np.sinc(0.25 / period) ** 2  # the bilinear kernel, a quarter pixel wide
    assert gain == pytest.approx(box, rel=0.05)


def test_events_of_a_sum_are_what_the_journal_stores(tmp_path):
    dense, _, fields = frames_of(2)
    total = filled(dense, fields, upsample=2)
    shape = (SHAPE[0] * 2, SHAPE[1] * 2)
    with lbj.Writer(tmp_path / "sum.lbj", shape=shape, channels=CHANNELS, dtype=np.uint32) as writer:
        writer.append(1, total.events())
    with lbj.Reader(tmp_path / "sum.lbj") as reader:
        np.testing.assert_array_equal(reader[0], total.volume())


def test_parts_of_a_sum_by_channel_and_by_frame():
    dense, _, fields = frames_of(3)
    total = filled(dense, fields, upsample=2)
    np.testing.assert_array_equal(total.volume((7, 12)), total.volume()[..., 7:12])
    first = filled(dense[:1], fields[:1], upsample=2)
    np.testing.assert_array_equal(total.volume(frames=[0]), first.volume())
    assert total.frames == (0, 1, 2)
    assert total.counts == dense.sum()


def test_a_volume_is_written_into_memory_in_hand(tmp_path):
    dense, _, fields = frames_of(3)
    total = filled(dense, fields, upsample=2)
    mapped = np.memmap(tmp_path / "volume", np.uint16, "w+", shape=(24, 30, CHANNELS))
    mapped[:] = 7
    assert total.volume(out=mapped) is mapped
    np.testing.assert_array_equal(mapped, total.volume())
    for wrong in (np.zeros((24, 30, 2), np.uint8), np.zeros((24, 30, CHANNELS)), mapped[:, ::-1]):
        with pytest.raises(ValueError, match=r"out is .* of shape \(24, 30, 40\)"):
            total.volume(out=wrong)


@pytest.mark.parametrize(("most", "kind"), [(255, np.uint8), (256, np.uint16), (65_536, np.uint32)])
def test_a_volume_has_the_smallest_type_that_holds_its_largest_count(most, kind):
    events = np.array([(5, 6, 7, 60_000), (5, 6, 7, most - 60_000), (0, 0, 0, 1)], [*FIELDS[:3], ("count", np.int64)])
    if most < 60_000:
        events = np.array([(5, 6, 7, most), (0, 0, 0, 1)], FIELDS)
    total = SpectrumSum(SHAPE, CHANNELS)
    total.add(events, np.zeros((*SHAPE, 2)))
    volume = total.volume()
    assert volume.dtype == kind
    assert volume[5, 6, 7] == most
    assert volume.sum() == most + 1
    if kind is not np.uint8:
        with pytest.raises(ValueError, match="uint8, too small for the largest count"):
            total.volume(out=np.zeros((*SHAPE, CHANNELS), np.uint8))


def test_a_volume_of_many_blocks_holds_what_the_events_say():
    rng = np.random.default_rng(0)
    shape, channels = (70, 80), 1000
    events = np.ones(20_000, FIELDS)
    for name, length in (("row", 70), ("column", 80), ("channel", channels)):
        events[name] = rng.integers(0, length, events.size)
    total = SpectrumSum(shape, channels)
    total.add(events, np.zeros((*shape, 2)))
    expected = np.zeros((*shape, channels), int)
    np.add.at(expected, (events["row"], events["column"], events["channel"]), 1)
    np.testing.assert_array_equal(total.volume(), expected)


def test_memory_limit_refuses_before_allocating_and_changes_nothing():
    _, events, fields = frames_of(2, mean=0.5)
    total = SpectrumSum(SHAPE, CHANNELS, upsample=2, memory_limit=60_000)
    total.add(events[0], fields[0])
    with pytest.raises(MemoryError, match=r"memory_limit .* lower upsample"):
        total.add(events[1], fields[1])
    assert total.frames == (0,)
    with pytest.raises(MemoryError, match="exposure map"):
        SpectrumSum((2048, 2048), 2048, upsample=8, memory_limit=10**9)
    big = SpectrumSum((500, 500), 4096, upsample=8, memory_limit=2**30)
    with pytest.raises(MemoryError, match="the volume needs 61"):
        big.volume()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"displacement": np.zeros((3, 3, 2))}, "displacement has shape"),
        ({"displacement": np.full((*SHAPE, 2), np.nan)}, "displacement holds NaN"),
        ({"displacement": np.full((*SHAPE, 2), 1e6)}, "out of reach"),
        ({"exposure": -1.0}, "exposure must lie"),
        ({"exposure": np.ones(3)}, "exposure has shape"),
        ({"frame": 0}, "frame 0 is in the sum already"),
        ({"frame": -1}, "frames are numbered from 0"),
        ({"events": np.zeros(3, [("row", "i4"), ("column", "i4")])}, "no field 'channel'"),
        ({"events": [(0, 1, 2, 1)]}, "no field 'row'"),
        ({"events": np.zeros((*SHAPE, CHANNELS))}, "no field 'row'"),
        ({"events": np.array([(0, 99, 0, 1)], FIELDS)}, "'column' reaches from 99 to 99"),
        ({"events": np.array([(0, 0, 40, 1)], FIELDS)}, "'channel' reaches"),
        ({"events": np.zeros(1, [*FIELDS[:3], ("count", "f4")])}, "whole numbers of 0 or more"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_leaves_the_sum_as_it_was(change, message):
    dense, events, fields = frames_of(1)
    total = filled(dense, fields)
    before = total.volume()
    arguments = {"events": events[0], "displacement": fields[0], "frame": 1, **change}
    with pytest.raises(ValueError, match=message):
        total.add(**arguments)
    np.testing.assert_array_equal(total.volume(), before)
    assert total.frames == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsample": 9}, "upsample is 9"),
        ({"assignment": "cubic"}, "assignment is 'cubic'"),
        ({"area": "some"}, "area is 'some'"),
        ({"kernel_width": 0}, "kernel_width is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"channels": 100_000}, "channels is 100000"),
        ({"shape": (0, 4)}, "shape is"),
    ],
)
def test_a_sum_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SpectrumSum(**{"shape": SHAPE, "channels": CHANNELS, **options})


def test_questions_a_sum_cannot_answer():
    dense, _, fields = frames_of(2)
    total = filled(dense, fields)
    with pytest.raises(ValueError, match="windows must be"):
        total.maps([3, 4])
    with pytest.raises(ValueError, match="not a range within"):
        total.maps([(5, 5)])
    with pytest.raises(ValueError, match="frame 9 is not"):
        total.events(frames=[9])
    with pytest.raises(ValueError, match="shares of photons"):
        filled(dense, fields, assignment="bilinear").volume()
    with pytest.raises(ValueError, match="different grids"):
        total.merge(filled(dense, fields, seed=4))
    with pytest.raises(ValueError, match="in two of the sums"):
        total.merge(filled(dense[:1], fields[:1]))
    assert total.frames == (0, 1)
