"""The lines of a phase that are worth naming in a figure."""

import numpy as np

from daisy_bluesky.specimen._eds_model import EDSModel
from daisy_bluesky.specimen._emission import characteristic_yield, transmission
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.spectra import characteristic_lines

_FAINT = 0.01  # of the counts of the strongest line


def element_lines(phase: Phase, model: EDSModel) -> dict[str, float]:
    """Return each element's strongest detected line, unless it is faint or off the axis.

    Parameters
    ----------
    phase : Phase
        The material.
    model : EDSModel
        Detector, axis and beam energy.

    Returns
    -------
    dict of str to float
        Energy in keV by label such as ``"Fe Ka"``, strongest line first.
    """
    counts: dict[tuple[str, float], float] = {}
    for element, fraction in phase.composition.items():
        single = Phase(phase.name, {element: 1.0}, phase.density, phase.thickness)
        energies, photons = characteristic_yield(single, model.beam_energy)
        photons = photons * transmission(phase, energies, model.detector.take_off_angle)
        photons *= fraction * model.detector.efficiency(energies) / single.atoms_per_area
        visible = [line for line in characteristic_lines(element, model.beam_energy) if _on_axis(line.energy, model)]
        near = {line: photons[np.abs(energies - line.energy) < 0.03].sum() for line in visible}
        if near:
            strongest = max(near, key=lambda line: near[line])
            counts[strongest.label, strongest.energy] = near[strongest]
    bright = _FAINT * max(counts.values(), default=0.0)
    ranked = sorted(counts, key=lambda named: -counts[named])
    return {label: round(energy, 3) for label, energy in ranked if counts[label, energy] >= bright}


def _on_axis(energy: float, model: EDSModel) -> bool:
    return bool(model.axis.energies[0] < energy < model.axis.energies[-1])
