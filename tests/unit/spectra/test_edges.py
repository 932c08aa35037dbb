"""Core-loss edges against the onsets published in EELS atlases."""

import pytest

from daisy_bluesky.spectra import edges

# Onsets in solids: C. C. Ahn and O. L. Krivanek, EELS Atlas (1983).
PUBLISHED = {
    "Li K": 55,
    "B K": 188,
    "C K": 284,
    "N K": 401,
    "O K": 532,
    "F K": 685,
    "Mg L3": 51,
    "Mg K": 1305,
    "Al L3": 73,
    "Al K": 1560,
    "Si L3": 99,
    "Si K": 1839,
    "Ca L3": 346,
    "Ca L2": 350,
    "Ti L3": 456,
    "Ti L2": 462,
    "Cr L3": 575,
    "Fe L3": 708,
    "Fe L2": 721,
    "Ni L3": 855,
    "Cu L3": 931,
    "Sn M5": 485,
    "La M5": 832,
    "La M4": 849,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_onsets_are_those_of_the_atlas(name):
    found = dict(edges(name.split()[0]))
    assert found[name] == pytest.approx(PUBLISHED[name], abs=1.5)


def test_edges_are_limited_to_the_range_and_rise():
    found = edges("Fe", 600.0, 900.0)
    assert [name for name, _ in found] == ["Fe L3", "Fe L2", "Fe L1"]
    onsets = [onset for _, onset in found]
    assert onsets == sorted(onsets)
    assert edges("H", 50.0, 2000.0) == []


def test_an_unknown_element_is_named():
    with pytest.raises(ValueError, match="unknown element 'Xx'"):
        edges("Xx")
    with pytest.raises(ValueError, match="edges of Pu are not tabulated"):
        edges("Pu")
