"""The four experiments of EDS-SLADS: its own sampler, ours, and dose allocation on the same objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosed_map import SHORTEST
from daisy_bluesky.bench._eds_slads_objects import (
    COUNTS,
    TRAINING_SEED,
    SimulatedObject,
    crops,
    grown_map,
    grown_object,
    measured_object,
    trained_classifier,
)
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._measured_object import load_objects
from daisy_bluesky.bench._offline import map_offline
from daisy_bluesky.bench._sampling_maps import Case, LabelMap, trained_model, training_maps
from daisy_bluesky.bench._sampling_peers import Predictor, learn, sampled
from daisy_bluesky.bench._sampling_quality import NET, adaptive, best_map
from daisy_bluesky.classify import PhaseClassifier, SpectrumLabeller
from daisy_bluesky.report import GroundTruth
from daisy_bluesky.sampling import DoseAllocator, Slads, SladsModel, VisitCost, train

ALLOWED = 1 / 100
SIDE = 1024
CROPS = 4
AT_ONCE = 1 << 16
# A batch of dose allocation is this part of the field, and distortion is looked at after every LOOK counts a pixel.
BATCH_PART = 256
LOOK = 0.125


@dataclass(frozen=True)
class Experiment:
    """One row of the paper's table.

    Attributes
    ----------
    name : str
        Phases and size.
    chemistry : str
        Which measured spectra, and which micrograph where none is grown.
    kind : str
        Kind of the generated phase map; empty for that of the micrograph.
    fraction : float
        Part of the pixels measured.
    distortion, misclassified : float
        The paper's figures.
    seeds : range
        Of start pattern, choice of spectra and noise; and of the map where it is grown.
    dosed : range
        Those of them that doses are allocated for, which takes minutes on large fields.
    """

    name: str
    chemistry: str
    kind: str
    fraction: float
    distortion: float
    misclassified: float
    seeds: range
    dosed: range


EXPERIMENTS = (
    Experiment("2 phases, 128 x 128", "PbSn/dendrite2_test_128", "", 0.15, 0.0015, 0.0002, range(3), range(3)),
    Experiment(
        "2 phases, 1024 x 1024", "PbSn/dendrite2_test_128", "dendrites", 0.05, 0.0013, 0.0, range(2, 5), range(2, 3)
    ),
    Experiment("4 phases, 256 x 256", "minerals/ebc_a_4_256", "", 0.2, 0.006, 0.005, range(2), range(2)),
    Experiment("4 phases, 1024 x 1024", "minerals/ebc_a_4_256", "grains", 0.05, 0.02, 0.0009, range(2, 5), range(2, 3)),
)


@dataclass(frozen=True)
class Result:
    """What one object gave.

    Attributes
    ----------
    ours, peer, peer_reconstructed : float
        Total distortion where every label is certain: of ours, of SLADS-Net's map, and of our reconstruction from
        SLADS-Net's points.
    from_spectra : float
        Total distortion of ours where labels come from the spectra.
    misclassified : float
        Part of those spectra that got a wrong label.
    counts : float
        Counts a pixel until the map of dose allocation is as good as the paper's; inf where it is not in time, nan
        where none was made.
    """

    ours: float
    peer: float
    peer_reconstructed: float
    from_spectra: float
    misclassified: float
    counts: float


def measure(data: Path) -> Iterator[Gate]:
    """Repeat the four experiments."""
    if not (data / "objects.py").is_file():
        yield Gate("the experiments of EDS-SLADS", f"skipped: no measurements in {data}")
        return
    objects = load_objects(data)
    for experiment in EXPERIMENTS:
        chemistry = objects.load(experiment.chemistry)
        peer = learn(_training_maps(experiment, data, chemistry))[NET]
        model = _model(experiment, data, chemistry)
        classifier = trained_classifier(chemistry)
        results = [
            compare(experiment, _object(experiment, chemistry, seed), (model, peer, classifier), seed)
            for seed in experiment.seeds
        ]
        yield from gates(experiment, results)


def _object(experiment: Experiment, chemistry: Any, seed: int) -> SimulatedObject:
    if experiment.kind:
        return grown_object(chemistry, experiment.kind, SIDE, seed)
    return measured_object(chemistry, seed)


def _training_maps(experiment: Experiment, data: Path, chemistry: Any) -> list[LabelMap]:
    """Return what both samplers learn from: maps of the same kind, or every generated kind where there are no others.

    Large maps are learned from squares of a map of another seed.
    """
    if experiment.kind:
        return list(crops(grown_map(chemistry, experiment.kind, SIDE, TRAINING_SEED), CROPS))
    return training_maps(data, _family(experiment))


def _model(experiment: Experiment, data: Path, chemistry: Any) -> SladsModel:
    if experiment.kind:
        return train(_training_maps(experiment, data, chemistry), tolerance=1.0)
    return trained_model(data, _family(experiment))


def _family(experiment: Experiment) -> str:
    return "dendrites" if experiment.chemistry.startswith("PbSn") else "generic"


def compare(
    experiment: Experiment,
    sample: SimulatedObject,
    trained: tuple[SladsModel, Predictor, PhaseClassifier],
    seed: int,
) -> Result:
    """Map one object: with certain labels by ours and SLADS-Net, then from its spectra by ours and dose allocation."""
    model, peer, classifier = trained
    truth = GroundTruth(sample.labels, sample.ill)
    policy = Slads(sample.labels.shape, phases=len(sample.means), model=model, seed=seed)
    visits = round(experiment.fraction * sample.labels.size)
    found = map_offline(policy, SpectrumLabeller(classifier, classifier.channels), sample.spectrum, visits)
    case = Case(sample.labels, sample.ill, seed)
    ((voted, measured),) = sampled(case, _in_pieces(peer), (experiment.fraction,))
    most = ALLOWED * experiment.fraction * COUNTS
    return Result(
        adaptive(case, model, (experiment.fraction,))[0],
        truth.total_distortion(voted),
        truth.total_distortion(best_map(case.found, measured)),
        truth.total_distortion(found.phase_map),
        truth.misclassified(found.positions, found.labels),
        counts_for(sample.counted(classifier), experiment.distortion, most, seed)
        if seed in experiment.dosed
        else float("nan"),
    )


def _in_pieces(predictor: Predictor) -> Predictor:
    """Return the same predictor, which does not take all pixels of a large field at once."""

    def predict(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        starts = range(0, max(len(inputs), 1), AT_ONCE)
        return np.concatenate([predictor(inputs[start : start + AT_ONCE]) for start in starts])

    return predict


def counts_for(sample: CountedObject, distortion: float, most: float, seed: int) -> float:
    """Return the counts a pixel at which the map of `DoseAllocator` falls to a distortion; inf when not by `most`.

    Counts are those of the specimen, about 7,500 in a spectrum of the paper's; their noise comes on top.
    """
    rng = np.random.default_rng([seed, 3])
    pixels = sample.labels.size
    allocator = DoseAllocator(
        sample.labels.shape, phases=sample.phases, seed=seed, cost=VisitCost(minimum_dwell=SHORTEST)
    )
    spent, look = 0.0, LOOK
    while spent < most * pixels:
        visits = allocator.suggest(max(pixels // BATCH_PART, 64))
        positions = np.stack([visits["row"], visits["column"]], axis=1)
        allocator.ingest(positions, sample.measure(positions, visits["dwell"], rng), dwell=visits["dwell"])
        spent += float(visits["dwell"].sum())
        if spent >= look * pixels:
            if sample.distortion(allocator.labels) <= distortion:
                return spent / pixels
            look += LOOK
    return float("inf")


def gates(experiment: Experiment, results: list[Result]) -> Iterator[Gate]:
    """Yield the rows of one experiment."""
    what = f"{experiment.name}, seeds {', '.join(map(str, experiment.seeds))}"
    ours, peer = _median(results, "ours"), _median(results, "peer")
    yield Gate(
        f"{what}: total distortion at {experiment.fraction:.0%}, certain labels, median",
        f"{ours:.2g} ({_each(results, 'ours')})",
        "below SLADS-Net's in the same run",
        ours < peer,
        f"SLADS-Net {peer:.2g} ({_each(results, 'peer')}), reconstructed as ours "
        f"{_median(results, 'peer_reconstructed'):.2g}; "
        f"the paper, on another object, {experiment.distortion:g}",
        {"ours": ours, "SLADS-Net": peer, "paper": experiment.distortion},
    )
    seen = _median(results, "from_spectra")
    yield Gate(
        f"{what}: total distortion at {experiment.fraction:.0%}, labels from the spectra, median",
        f"{seen:.2g} ({_each(results, 'from_spectra')})",
        beside=f"the paper {experiment.distortion:g}",
        figures={"ours": seen, "paper": experiment.distortion},
    )
    wrong = _median(results, "misclassified")
    yield Gate(
        f"{what}: misclassified spectra",
        f"{wrong:.5f}",
        beside=f"the paper {experiment.misclassified:g}",
        figures={"misclassified": wrong, "paper": experiment.misclassified},
    )
    yield _dose_gate(experiment, results)


def _dose_gate(experiment: Experiment, results: list[Result]) -> Gate:
    each = [result.counts for result in results if not np.isnan(result.counts)]
    counts, whole = float(np.median(each)), experiment.fraction * COUNTS
    return Gate(
        f"{experiment.name}, seeds {', '.join(map(str, experiment.dosed))}: counts a pixel until the map of dose "
        "allocation has the paper's total distortion",
        f"{counts:.2f} ({', '.join(f'{count:.2f}' for count in each)}), 1/{whole / counts:.0f}",
        f"<= 1/{1 / ALLOWED:.0f} of the paper's {whole:g}",
        counts <= ALLOWED * whole,
        f"the paper: {experiment.fraction:.0%} of the pixels at about {COUNTS:g} counts a spectrum",
        {"counts": counts, "paper": whole},
    )


def _median(results: list[Result], name: str) -> float:
    return float(np.median([getattr(result, name) for result in results]))


def _each(results: list[Result], name: str) -> str:
    return ", ".join(f"{getattr(result, name):.2g}" for result in results)
