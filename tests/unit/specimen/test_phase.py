import pytest

from daisy_bluesky.specimen import Phase


def test_iron_foil_holds_the_known_number_of_atoms():
    atoms_per_cm3 = 8.49e22  # Kittel, Introduction to Solid State Physics, table 1.4
    assert Phase("iron", {"Fe": 1}, 7.874, 100).atoms_per_area == pytest.approx(atoms_per_cm3 * 100e-7, rel=2e-3)


def test_weight_fractions_of_quartz():
    quartz = Phase("quartz", {"Si": 1, "O": 2}, 2.65, 100)
    assert quartz.weight_fractions["Si"] == pytest.approx(0.4674, abs=1e-3)
    assert sum(quartz.composition.values()) == pytest.approx(1)


def test_weight_and_atomic_fractions_are_inverse():
    atomic = Phase("augite", {"Ca": 1, "Mg": 1, "Si": 2, "O": 6}, 3.3, 100)
    again = Phase.from_weight_fractions("augite", atomic.weight_fractions, 3.3, 100)
    assert dict(again.composition) == pytest.approx(dict(atomic.composition))


@pytest.mark.parametrize(
    ("composition", "density", "named"),
    [({}, 1.0, "no elements"), ({"Xx": 1}, 1.0, "Xx"), ({"Fe": -1}, 1.0, "Fe"), ({"Fe": 1}, 0.0, "density")],
)
def test_impossible_phases_are_refused_by_name(composition, density, named):
    with pytest.raises(ValueError, match=named):
        Phase("odd", composition, density, 100)
