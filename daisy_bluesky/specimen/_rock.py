"""A rock whose minerals share most of their elements: the demonstration specimen's phases."""

from daisy_bluesky.specimen._phase import Phase

_FOIL = 150.0  # nm

ROCK = (
    Phase("olivine", {"Mg": 1.6, "Fe": 0.4, "Si": 1.0, "O": 4.0}, 3.4, _FOIL),
    Phase("augite", {"Ca": 0.75, "Mg": 0.85, "Fe": 0.3, "Al": 0.2, "Si": 1.9, "O": 6.0}, 3.3, _FOIL),
    Phase("plagioclase", {"Ca": 0.6, "Na": 0.4, "Al": 1.6, "Si": 2.4, "O": 8.0}, 2.7, _FOIL),
    Phase("ilmenite", {"Fe": 0.9, "Mg": 0.1, "Ti": 1.0, "O": 3.0}, 4.7, _FOIL),
)
