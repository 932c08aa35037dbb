"""From a survey image and spectra of the phases to a rehearsal."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify import PhaseClassifier, PhaseLikelihood
from daisy_bluesky.sampling import Rehearsal, Survey, VisitCost, plausible_phase_map, rehearse
from daisy_bluesky.specimen import VirtualSpecimen

PHASES_AT_MOST = 16
EVEN = 1e-9
"""Added to a computed mean spectrum, as a share of its counts, so that no channel is impossible."""


def rehearse_survey(
    survey: str | Path | ArrayLike,
    *,
    spectra: str | Path | None = None,
    phases: int | None = None,
    rate: float | None = None,
    cost: VisitCost | None = None,
    current: float = 500.0,
    wanted: float = 0.01,
    visit_dwell: float | None = None,
    seed: int = 0,
) -> tuple[Rehearsal, NDArray[np.int64]]:
    """Rehearse a map on a survey image.

    Parameters
    ----------
    survey : path or (rows, columns) array_like
        A phase map (whole numbers, at most 16 different ones), or a grey image from which one is guessed: phases in
        order of grey value, dark to bright, and in a second rehearsal the other way round.
    spectra : path, optional
        Spectra of the phases in the order of labels or grey values: the file of a `daisy_bluesky.classify`
        ``PhaseClassifier``, or an .npz with ``spectra`` (n, channels) and ``labels`` (n,); those of the virtual
        specimen when omitted.
    phases : int, optional
        How many phases the image shows; as many as a phase map has labels, or there are spectra of, when omitted.
    rate : float, optional
        Mean counts per second of dwell; that of the virtual specimen when its spectra are used.
    cost : VisitCost, optional
        What a visit costs.
    current : float
        Beam current, pA.
    wanted, visit_dwell, seed
        As for `daisy_bluesky.sampling.rehearse`.

    Returns
    -------
    rehearsal : Rehearsal
    phase_map : (rows, columns) int64
        What was taken for the truth.

    Raises
    ------
    ValueError
        The image or the spectra are unreadable or do not fit each other, or a number is out of range.
    """
    image = (Survey.load(survey) if isinstance(survey, str | Path) else Survey(survey)).image
    if not 0 < current < np.inf:
        raise ValueError(f"current: {current} pA is not positive")
    means, own_rate = _spectra(spectra, current)
    rate = own_rate if rate is None else rate
    if rate is None:
        raise ValueError("rate: give the mean counts per second of dwell that the detector records")
    maps = _phase_maps(image, len(means), phases)
    means = means[: max(int(one.max()) for one in maps)]
    rehearsal = rehearse(maps, means, rate=rate, cost=cost, wanted=wanted, visit_dwell=visit_dwell, seed=seed)
    return rehearsal, maps[0]


def _phase_maps(image: NDArray[np.float64], known: int, phases: int | None) -> list[NDArray[np.int64]]:
    """Return the phase maps to rehearse on."""
    values, codes = np.unique(image, return_inverse=True)
    if len(values) < 2:
        raise ValueError("survey: the image has the same value everywhere; give one that shows two phases or more")
    labelled = len(values) <= PHASES_AT_MOST and bool((values % 1 == 0).all())
    count = phases if phases is not None else len(values) if labelled else known
    if count > known:
        raise ValueError(f"phases: {count} phases, but spectra of {known}; give spectra of all, or fewer phases")
    if labelled:
        if len(values) != count or count < 2:
            raise ValueError(f"phases: the phase map shows {len(values)} phases, not {count}; give one that shows them")
        return [codes.reshape(image.shape).astype(np.int64) + 1] * 2
    guess = plausible_phase_map(image, count)
    return [guess, count + 1 - guess]


def _spectra(path: str | Path | None, current: float) -> tuple[NDArray[np.float64], float | None]:
    """Return mean spectra of the phases, (phases, channels), and the counts per second where they are known."""
    if path is None:
        specimen = VirtualSpecimen.demo((16, 16))
        means = np.array([specimen.eds_mean(label) for label in range(1, len(specimen.phases) + 1)])
        return means + EVEN, 1.0 / specimen.eds_dwell(1.0, current)
    try:
        with np.load(path, allow_pickle=False) as stored:
            if {"spectra", "labels"} <= set(stored.files):
                return PhaseLikelihood.fit(stored["spectra"], stored["labels"]).means, None
        return PhaseClassifier.load(path).likelihood.means, None
    except OSError as error:
        raise ValueError(f"spectra: {path} cannot be read ({error.strerror}); give a classifier or spectra") from None
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        # a plain .npy is no archive; other causes would speak of pickles, or of one kind of file where two are welcome
        raise ValueError(
            f"spectra: {path} is neither a phase classifier nor an .npz of spectra (n, channels) and labels (n,)"
        ) from None
