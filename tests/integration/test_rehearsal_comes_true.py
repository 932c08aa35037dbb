"""What was foretold, beside what then happens under a real RunEngine."""

import numpy as np
import pytest

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.report import GroundTruth, break_even, read_run
from daisy_bluesky.sampling import VisitCost, rehearse

CURRENT, SETTLING, COUNTS = 100.0, 0.005, 100.0


@pytest.fixture(scope="module")
def rate(specimen):
    return 1 / specimen.eds_dwell(1.0, CURRENT)


@pytest.fixture(scope="module")
def cost(rate):
    return VisitCost(settling=SETTLING, minimum_dwell=2.0 / rate)


@pytest.fixture
def outcome(new_engine, microscope, specimen, classifier_file):
    """Measures a map and judges it."""
    truth = GroundTruth(specimen.labels, specimen.ill)

    def measure(**arguments):
        documents = []
        plan = adaptive_map(
            [microscope.haadf, microscope.eds], microscope.probe, classifier=classifier_file, **arguments
        )
        new_engine()(plan, lambda name, document: documents.append((name, document)))
        run = read_run(iter(documents))
        return run.acquisition(), run.outcome("map", truth), truth

    return measure


def test_sparse_visits_and_the_break_even_dwell(outcome, specimen, classifier_file, rate, cost):
    classifier = PhaseClassifier.load(classifier_file)
    spent, own, truth = outcome(fraction=0.35, dwell_time=COUNTS / rate, policy="slads")

    def spectra(rows, columns, dwell):
        return specimen.eds_bulk(rows, columns, dwell=dwell, current=CURRENT, visit=1)

    even = break_even(own, spent, spectra, classifier, truth)
    foretold = rehearse(
        [specimen.labels] * 4,
        classifier.likelihood.means,
        rate=rate,
        cost=cost,
        wanted=own.total_distortion,
        visit_dwell=COUNTS / rate,
    )
    assert foretold.needed["sparse"].fraction == pytest.approx(0.35, rel=0.25)
    assert foretold.raster_dwell == pytest.approx(even.dwell, rel=0.35)
    assert foretold.break_even == pytest.approx(even.visit_dwell, rel=0.35)


def test_allocated_dose(outcome, specimen, classifier_file, rate, cost):
    classifier = PhaseClassifier.load(classifier_file)
    foretold = rehearse([specimen.labels] * 4, classifier.likelihood.means, rate=rate, cost=cost, wanted=0.05)
    best = foretold.best
    assert best.policy == "dose"
    dwell = best.exposure / specimen.labels.size
    given = {"settling": SETTLING, "minimum_dwell": cost.minimum_dwell}
    _, own, _ = outcome(fraction=1.0, dwell_time=dwell, policy="dose", cost=given)
    assert own.seconds == pytest.approx(best.seconds, rel=0.1)
    # ill spectra and dead time are not foretold
    assert 0.5 < np.divide(own.total_distortion, best.distortion) < 2.0
