"""Quality and speed of dynamic sampling with certain labels: ``python benchmarks/sampling_quality.py``.

Total distortion (TD, over pixels that are not ill) of the labels used for deciding ("vote") and of
`sampling.reconstruct` ("best"), which is the same for every pattern; median over seeds. Times are CPU milliseconds of
one thread for suggest + ingest, Python included.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from daisy_bluesky.sampling import (
    Slads,
    SladsModel,
    patterns,
    reconstruct,
    small_objects_found,
    total_distortion,
    train,
    vote,
)

PHASE_MAPS = Path(__file__).parents[2] / "shared" / "data" / "phase_maps.npz"
SMALL_OBJECT = 30
STATIC = (patterns.raster, patterns.jittered, patterns.sobol, patterns.random)


def measured_map(name):
    maps = np.load(PHASE_MAPS)
    return maps[f"{name}__labels"].astype(np.int64) + 1, maps[f"{name}__ill"].astype(bool)


def grains(side, seed):
    """40 Voronoi grains of three phases with 20 discs of a fourth, radius side / 100 to side / 30."""
    rng = np.random.default_rng([seed, 1234])
    grid = np.indices((side, side)).reshape(2, -1).T
    truth = rng.integers(1, 4, 40)[KDTree(rng.random((40, 2)) * side).query(grid)[1]].reshape(side, side)
    for _ in range(20):
        away = np.hypot(*(np.indices((side, side)) - rng.random((2, 1, 1)) * side))
        truth[away < rng.uniform(side / 100, side / 30)] = 4
    return truth


def field(side, seed):
    """Periodic Gaussian random field, sigma side / 32, cut at 35%."""
    noise = np.random.default_rng([seed, 4321]).standard_normal((side, side))
    smooth = ndimage.gaussian_filter(noise, side / 32, mode="wrap")
    return (smooth < np.quantile(smooth, 0.35)).astype(np.int64) + 1


def sample(truth, ill, model, fraction, seed, batch=1):
    """Sample adaptively; return the sampler and the CPU time of every decision, ms."""
    sampler = Slads(truth.shape, phases=int(truth.max()), model=model, seed=seed)
    times = []
    wanted = round(fraction * truth.size)
    labels = np.where(ill, 0, truth)
    done = 0
    while done < wanted:
        started = time.thread_time_ns()
        visits = sampler.suggest(min(batch, wanted - done))
        places = [(int(visit["row"]), int(visit["column"])) for visit in visits]
        asked = time.thread_time_ns()
        found = [int(labels[place]) for place in places]
        resumed = time.thread_time_ns()
        sampler.ingest(places, found, visits=range(done, done + len(places)))
        times.append((asked - started + time.thread_time_ns() - resumed) / 1e6 / len(places))
        done += len(places)
    return sampler, np.array(times)


def row(name, results):
    """Print medians over seeds of (TD of the vote, TD of the reconstruction, small objects found, of how many)."""
    vote, best, found, total = np.median(results, axis=0)
    spread = np.quantile([result[1] for result in results], (0.25, 0.75))
    print(f"  {name:<34}{vote:9.4f}{best:9.4f}  [{spread[0]:.4f} {spread[1]:.4f}]{found:7.0f}/{total:.0f}")


def judge(labels, best, truth, ill):
    return (
        total_distortion(labels, truth, ill),
        total_distortion(best, truth, ill),
        *small_objects_found(best, truth, SMALL_OBJECT),
    )


def compare(title, cases, models, fraction, batch=1):
    """Print one table: adaptive sampling with each model beside the static patterns; cases are (truth, ill, seed)."""
    print(f"{title}, {fraction:.0%} of the pixels, {len(cases)} seeds")
    print(f"  {'':<34}{'TD vote':>9}{'TD best':>9}  {'quartiles':<15}{'small objects found':>9}")
    for name, model in models.items():
        results, times, estimates = [], [], []
        for truth, ill, seed in cases:
            sampler, spent = sample(truth, ill, model, fraction, seed, batch)
            results.append(judge(sampler.labels, sampler.reconstruct(), truth, ill))
            times.append(np.median(spent[len(spent) // 2 :]))
            estimates.append(sampler.remaining_distortion())
        row(f"adaptive, {name}", results)
        low, high = np.median([estimate[1:] for estimate in estimates], axis=0)
        covered = np.mean([e[1] <= r[0] <= e[2] for e, r in zip(estimates, results, strict=True)])
        print(f"    decision {np.median(times):.3f} ms; interval [{low:.4f} {high:.4f}] covers {covered:.0%}")
    for pattern in STATIC:
        results = []
        for truth, ill, seed in cases:
            places = pattern(truth.shape, fraction, seed)
            labels = np.where(ill, 0, truth)[tuple(places.T)]
            best = reconstruct(truth.shape, places, labels)
            results.append(judge(vote(truth.shape, places, labels), best, truth, ill))
        row(pattern.__name__, results)


def decision_times(model):
    print("decision after 5% of the pixels (suggest + ingest, 300 decisions)")
    for side in (128, 256, 512, 1024):
        truth = field(side, 1)
        started = time.process_time()
        sampler = Slads(truth.shape, phases=2, model=model)
        places = patterns.sobol(truth.shape, 0.05, 7)
        sampler.ingest(places, truth[tuple(places.T)])
        sampler.suggest(len(places))
        sampler.remaining_distortion()
        start_up = time.process_time() - started
        times = []
        while len(times) < 2300:
            begun = time.thread_time_ns()
            visit = sampler.suggest()
            place = (int(visit["row"][0]), int(visit["column"][0]))
            sampler.ingest([place], [int(truth[place])])
            times.append((time.thread_time_ns() - begun) / 1e6)
        last = times[-300:]
        middle, tail = np.quantile(last, (0.5, 0.99))
        print(f"  {side:>5}: median {middle:.3f} ms, p99 {tail:.3f} ms; start-up {start_up:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    default = SladsModel.default()
    print("default model:", default.description)
    if PHASE_MAPS.exists():
        dendrites = [measured_map(f"dendrite2_train{number}_128")[0] for number in (2, 3)]
        started = time.process_time()
        own = train(dendrites)
        print(f"trained on train2 and train3 in {time.process_time() - started:.1f} s: window {own.window}")
        truth, ill = measured_map("dendrite2_test_128")
        none = np.zeros_like(ill)
        models = {"trained on train2, train3": own, "default model": default}
        compare("dendrite2_test_128", [(truth, none, seed) for seed in seeds], models, 0.15)
        for fraction in (0.1, 0.15, 0.2):
            compare("dendrite2_test_128, ill pixels", [(truth, ill, seed) for seed in seeds], models, fraction)
        compare("the same in batches of 50", [(truth, ill, seed) for seed in seeds], models, 0.15, batch=50)
        truth, ill = measured_map("ebc_a_4_256")
        compare("ebc_a_4_256", [(truth, ill, seed) for seed in seeds[:2]], {"default model": default}, 0.2)
    none = np.zeros((256, 256), bool)
    compare("grains 256", [(grains(256, seed), none, seed) for seed in seeds], {"default model": default}, 0.2)
    none = np.zeros((128, 128), bool)
    for fraction in (0.1, 0.15):
        compare("fields 128", [(field(128, seed), none, seed) for seed in seeds], {"default model": default}, fraction)
    decision_times(default)


if __name__ == "__main__":
    main()
