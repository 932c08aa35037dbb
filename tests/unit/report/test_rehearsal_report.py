"""What a rehearsal is told as: table, words, plan and picture."""

import inspect
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from daisy_bluesky.plans import adaptive_map, raster_map
from daisy_bluesky.plans._grid import visits_of
from daisy_bluesky.plans._policy import chosen_policy
from daisy_bluesky.report import draw_rehearsal, print_rehearsal, recommended_plan, rehearse_survey
from daisy_bluesky.sampling import Forecast, Rehearsal, VisitCost


def forecast(policy, seconds, exposure, fraction, distortion):
    return Forecast(policy, seconds, exposure, fraction, distortion, distortion * 0.9, distortion * 1.1)


@pytest.fixture
def rehearsal():
    needed = {
        "raster": forecast("raster", 20.0, 10.0, 1.0, 0.01),
        "sparse": forecast("sparse", 15.0, 12.0, 0.3, 0.01),
        "dose": forecast("dose", 6.0, 2.0, 0.5, 0.01),
    }
    curve = [forecast(policy, time, time / 2, 0.5, 0.1 / time) for policy in needed for time in (1.0, 4.0, 16.0)]
    return Rehearsal(
        (20, 30), 1000.0, VisitCost(settling=1e-3), 0.01, curve, needed,
        raster_dwell=10 / 600, visit_dwell=0.06, overhead=0.002, break_even=0.07,
    )  # fmt: skip


def printed(rehearsal, classifier="mine.npz"):
    console = Console(file=io.StringIO(), width=100)
    print_rehearsal(console, rehearsal, 100.0, classifier)
    return console.file.getvalue()


def test_it_says_what_is_needed_when_what_is_better_and_what_to_type(rehearsal):
    text = printed(rehearsal)
    assert "allocated dose: 6 s" in text
    assert "less than 70 ms" in text.replace("\n", " ")
    assert "0.0250 ±0.0025" in text
    assert 'RE(adaptive_map([haadf, eds], probe, shape=(20, 30), dwell_time=0.00333, fraction=1, classifier="' in text


@pytest.mark.parametrize("needed", [0.3, 0.999, 1.001, 1.3])
def test_a_plan_of_about_one_shortest_visit_a_pixel_is_accepted(rehearsal, needed):
    """The shortest visit is what is told, or one that three figures round up or down."""
    for shortest in (1e-4, 1.2349e-4, 1.2351e-4):
        one = forecast("dose", 6.0, needed * shortest * 600, 0.2, 0.01)
        dosed = replace(rehearsal, cost=VisitCost(settling=5e-4, minimum_dwell=shortest), needed={"dose": one})
        asked = eval(
            recommended_plan(dosed), {"adaptive_map": lambda *_, **asked: asked, "haadf": 1, "eds": 2}, {"probe": 3}
        )
        policy = chosen_policy(asked, asked["dwell_time"], {})
        assert policy["policy"] == "dose"
        assert asked["dwell_time"] * visits_of(asked["fraction"], 600) == pytest.approx(one.exposure, rel=0.02)


@pytest.mark.parametrize("policy", ["raster", "sparse", "dose"])
@pytest.mark.parametrize("scarce", ["seconds", "electrons"])
def test_the_plan_can_be_typed(rehearsal, policy, scarce):
    only = Rehearsal(
        rehearsal.shape, rehearsal.rate, VisitCost(settling=1e-3, read_out=2e-3, scarce=scarce), rehearsal.wanted,
        rehearsal.forecasts, {policy: rehearsal.needed[policy]}, rehearsal.raster_dwell, rehearsal.visit_dwell,
        overhead=0.0, break_even=0.0,
    )  # fmt: skip
    heard = {}

    def typed(plan):
        def bound(*args, **kwargs):
            heard.update(inspect.signature(plan).bind(*args, **kwargs).arguments)

        return bound

    names = {"haadf": 1, "eds": 2, "probe": 3, "adaptive_map": typed(adaptive_map), "raster_map": typed(raster_map)}
    eval(recommended_plan(only), {}, names)
    assert heard["shape"] == (20, 30)
    visits = 600 * heard.get("fraction", 1.0)
    assert visits * heard["dwell_time"] == pytest.approx(rehearsal.needed[policy].exposure, rel=0.15)
    if policy == "dose":
        assert VisitCost(**heard["cost"]) == only.cost


def test_what_is_not_reached_is_said(rehearsal):
    none = Rehearsal(
        rehearsal.shape, 1000.0, VisitCost(), 0.01, rehearsal.forecasts, {}, np.inf, 0.06, np.nan, np.nan,
    )  # fmt: skip
    text = printed(none)
    assert text.count("is not reached") == 3
    assert "No plan reaches that" in text
    assert recommended_plan(none) is None


def test_the_picture_is_written(rehearsal, tmp_path):
    labels = np.ones((20, 30), int)
    labels[:, 10:] = 2
    path = draw_rehearsal(tmp_path / "r.png", rehearsal, labels, current=100.0, survey=labels * 1.0, conclusion="so")
    with Image.open(path) as picture:
        assert picture.size == (3840, 2160)


@pytest.mark.parametrize(
    ("image", "given", "named"),
    [
        (np.ones((20, 20)), {}, "survey"),
        (np.full((20, 20), np.nan), {}, "survey"),
        (np.ones(20), {}, "survey"),
        (np.arange(400.0).reshape(20, 20), {"phases": 9}, "phases"),
        (np.arange(400).reshape(20, 20) % 3, {"phases": 2}, "phases"),
        (np.arange(400).reshape(20, 20) % 3, {"current": 0.0}, "current"),
        (np.arange(400).reshape(20, 20) % 3, {"rate": -1.0}, "rate"),
        (np.arange(400).reshape(20, 20) % 3, {"wanted": 2.0}, "wanted"),
        (np.arange(400).reshape(20, 20) % 3, {"visit_dwell": 0.0}, "visit_dwell"),
        (np.arange(400).reshape(20, 20) % 3, {"spectra": "nowhere.npz"}, "spectra"),
        (np.arange(16).reshape(4, 4) % 3, {}, "phase_maps"),
    ],
)
def test_bad_input_is_named(image, given, named):
    with pytest.raises(ValueError, match=f"^{named}: "):
        rehearse_survey(image, **given)


def test_other_files_are_no_spectra(tmp_path):
    labels = np.arange(400).reshape(20, 20) % 2
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    (tmp_path / "text.npz").write_text("no archive")
    np.save(tmp_path / "plain.npy", labels)
    np.savez(tmp_path / "words.npz", spectra=np.full((2, 3), "many"), labels=np.array([1, 2]))
    for name in ("other.npz", "text.npz", "plain.npy", "words.npz"):
        with pytest.raises(ValueError, match=r"^spectra: .*neither"):
            rehearse_survey(labels, spectra=tmp_path / name)
    counts = np.random.default_rng(0).poisson(3.0, (20, 64))
    np.savez(tmp_path / "mine.npz", spectra=counts, labels=np.repeat([1, 2], 10))
    with pytest.raises(ValueError, match=r"^rate: "):
        rehearse_survey(labels, spectra=tmp_path / "mine.npz")
