"""The specimens of the multi-objective comparison show what they are named for."""

import numpy as np

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import EELSCamera, VirtualSpecimen
from daisy_bluesky.spectra import edge_net_counts, edges, line_net_counts

LONG = 1e3


def exposure(specimen, label):
    row, column = np.unravel_index(specimen.fractions[..., label - 1].argmax(), specimen.shape)
    return Exposure(0, float(row), float(column), 0.0, LONG, 10.0, 0)


def test_edges_stand_where_their_elements_are_in_proportion_to_atoms():
    flake = VirtualSpecimen.flake((60, 60), seed=2, camera=EELSCamera())
    assert np.allclose(flake.fractions.sum(axis=2), 1)
    assert set(np.unique(flake.labels)) == {1, 2, 3, 4}
    net = {}
    for element in "BCN":
        onset = dict(edges(element))[f"{element} K"]
        spectra = [flake.eels(exposure(flake, label))["spectrum"] for label in (1, 2, 3, 4)]
        net[element] = edge_net_counts(np.array(spectra), flake.eels_axis, onset)[0]
        net[element] /= net[element].max()
    # hole, film, flake, flake on film; plural scattering takes some of what lies under more
    for element, there in (("B", [0, 0, 1, 1]), ("N", [0, 0, 1, 1]), ("C", [0, 1, 0, 1])):
        np.testing.assert_allclose(net[element], there, atol=0.16)


def test_precipitates_are_few_and_poor_in_titanium():
    alloy = VirtualSpecimen.alloy((96, 96), seed=2)
    share = np.bincount(alloy.labels.ravel(), minlength=4)[1:] / alloy.labels.size
    assert 0.01 < share[2] < 0.12
    titanium = [
        line_net_counts(alloy.eds(exposure(alloy, label))["spectrum"], alloy.eds_axis, 4.509)[0] for label in (1, 2, 3)
    ]
    assert titanium[2] < 0.65 * min(titanium[:2])


def test_the_same_seed_is_the_same_specimen():
    assert VirtualSpecimen.flake((30, 30), seed=4).identity == VirtualSpecimen.flake((30, 30), seed=4).identity
    assert VirtualSpecimen.alloy((30, 30), seed=4).identity != VirtualSpecimen.alloy((30, 30), seed=5).identity
