import pytest

from daisy_bluesky.spectra import characteristic_lines

PUBLISHED = {  # Bearden, Rev. Mod. Phys. 39 (1967) 78: intensity-weighted Ka1 and Ka2 (2:1), La1, Ma1; keV
    "O Ka": 0.5249,
    "Mg Ka": 1.2536,
    "Si Ka": 1.7398,
    "Ti Ka": 4.5089,
    "Mn Ka": 5.8949,
    "Fe Ka": 6.3996,
    "Fe Kb": 7.0580,
    "Cu Ka": 8.0410,
    "Cu La": 0.9297,
    "Mo La": 2.2932,
    "Sn La": 3.4440,
    "Au La": 9.7030,
    "Au Ma": 2.1229,
    "Pb La": 10.5410,
    "Pb Ma": 2.3455,
}


@pytest.mark.parametrize("label", PUBLISHED)
def test_energies_are_the_published_ones(label):
    lines = {line.label: line.energy for line in characteristic_lines(label.split()[0])}
    assert lines[label] == pytest.approx(PUBLISHED[label], abs=0.005)


def test_kb_to_ka_of_iron():
    weights = {line.name: line.weight for line in characteristic_lines("Fe")}
    assert weights["Ka"] == 1
    assert weights["Kb"] == pytest.approx(0.136, abs=0.012)  # measured values lie between 0.130 and 0.140


def test_strongest_first_and_only_what_the_beam_can_excite():
    assert [line.name for line in characteristic_lines("Fe")][:2] == ["Ka", "Kb"]
    assert {line.shell for line in characteristic_lines("Au", 15.0)} == {"L", "M"}
    assert {line.shell for line in characteristic_lines("Au", 5.0)} == {"M"}


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="Xx"):
        characteristic_lines("Xx")
    with pytest.raises(ValueError, match="beam_energy_kev"):
        characteristic_lines("Fe", 0.0)
