"""Builds the recommender of a run from plain data: what the run itself stores is enough to build it again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._next_probe import NextProbe
from daisy_bluesky.callbacks._no_phases import NoPhases
from daisy_bluesky.callbacks._objective_evidence import ObjectiveEvidence
from daisy_bluesky.callbacks._objective_probe import ObjectiveProbe
from daisy_bluesky.classify import PhaseClassifier, PooledLabeller, SpectrumLabeller
from daisy_bluesky.protocols import Policy
from daisy_bluesky.sampling import PHASES, DoseAllocator, GuidedSlads, Objectives, SladsModel, VisitCost

SAMPLING_MODEL = "sampling_model"
CLASSIFIER = "classifier"
DWELL_LIMITS = "dwell_limits"
"""Longest dwell time of every pixel, s: float64 in row-major order."""
ROI = "roi"
"""Which pixels the map is of: uint8, 0 or 1, in row-major order."""


def make_recommender(configuration: Mapping[str, Any], models: Mapping[str, bytes]) -> NextProbe:
    """Build a recommender.

    Parameters
    ----------
    configuration : mapping
        The ``recommender`` entry of a start document: ``policy``, ``shape``, ``seed``, ``start_fraction``,
        ``spectrum`` (data key), ``channels`` and ``position`` (data keys); ``cost`` with the policy ``dose``,
        ``objectives`` (weights by name) and ``fields`` (see `ObjectiveEvidence`) with the policy ``objectives``.
    models : mapping of str to bytes
        Serialised models: ``sampling_model``, and ``classifier`` where the phases were known beforehand; and
        ``dwell_limits`` where pixels are visited again and must not be exposed for as long as one likes; and ``roi``
        where the map is of a part of the field.

    Returns
    -------
    NextProbe

    Raises
    ------
    ValueError
        An unknown policy, or a model trained for other channels.
    """
    channels = int(configuration["channels"])
    classifier = PhaseClassifier.from_bytes(models[CLASSIFIER]) if CLASSIFIER in models else None
    if classifier is not None and classifier.channels != channels:
        raise ValueError(
            f"the classifier was trained for {classifier.channels} channels, "
            f"{configuration['spectrum']} has {channels}; train one on spectra of this detector"
        )
    if configuration["policy"] == "objectives":
        return _for_objectives(configuration, models, classifier)
    rows, columns = configuration["shape"]
    labeller: PooledLabeller | SpectrumLabeller = SpectrumLabeller(classifier, channels)
    if configuration["policy"] == "dose" and classifier is not None:
        labeller = PooledLabeller(classifier, (int(rows), int(columns)))
    return NextProbe(
        _make_policy(configuration, models, phases=len(classifier.phases) if classifier else 1),
        labeller,
        spectrum=configuration["spectrum"],
        position=tuple(configuration["position"]),
    )


def _for_objectives(
    configuration: Mapping[str, Any], models: Mapping[str, bytes], classifier: PhaseClassifier | None
) -> ObjectiveProbe:
    rows, columns = configuration["shape"]
    policy = Objectives(
        (int(rows), int(columns)),
        configuration["objectives"],
        model=SladsModel.from_bytes(models[SAMPLING_MODEL]),
        seed=int(configuration["seed"]),
        start_fraction=float(configuration["start_fraction"]),
        limit=_limits(models, (int(rows), int(columns))),
        roi=_region(models, (int(rows), int(columns))),
    )
    channels = int(configuration["channels"])
    return ObjectiveProbe(
        policy,
        SpectrumLabeller(classifier, channels) if PHASES in policy.fields else NoPhases(channels),
        ObjectiveEvidence(configuration["fields"]),
        spectrum=configuration["spectrum"],
        position=tuple(configuration["position"]),
    )


def _make_policy(configuration: Mapping[str, Any], models: Mapping[str, bytes], phases: int) -> Policy:
    rows, columns = configuration["shape"]
    if configuration["policy"] == "dose":
        cost = VisitCost(**configuration["cost"])
        shape = (int(rows), int(columns))
        limit, roi = _limits(models, shape), _region(models, shape)
        return DoseAllocator(shape, phases=phases, seed=int(configuration["seed"]), cost=cost, limit=limit, roi=roi)
    if configuration["policy"] != "slads":
        raise ValueError(f"unknown policy {configuration['policy']!r}; known are slads, dose and objectives")
    return GuidedSlads(
        (int(rows), int(columns)),
        phases=phases,
        model=SladsModel.from_bytes(models[SAMPLING_MODEL]),
        seed=int(configuration["seed"]),
        start_fraction=float(configuration["start_fraction"]),
        roi=_region(models, (int(rows), int(columns))),
    )


def _region(models: Mapping[str, bytes], shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    return np.frombuffer(models[ROI], np.uint8).reshape(shape) if ROI in models else None


def _limits(models: Mapping[str, bytes], shape: tuple[int, int]) -> NDArray[np.float64] | None:
    return np.frombuffer(models[DWELL_LIMITS], np.float64).reshape(shape) if DWELL_LIMITS in models else None
