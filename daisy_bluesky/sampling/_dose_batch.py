"""Several visits at once: of large value, apart from each other, ordered for short beam travel."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._batches import choose_apart
from daisy_bluesky.sampling._dose_field import DoseField
from daisy_bluesky.sampling._sparse_choice import APART, SparseChoice
from daisy_bluesky.sampling._tours import short_tour
from daisy_bluesky.sampling._visit_cost import VisitCost

# Candidates looked at for each place in a batch: more where few of them are apart, then the spacing is given up.
POOLS = (4, 64)
LARGEST_TOUR = 128


def batch_of(
    field: DoseField, cost: VisitCost, sparse: SparseChoice | None, last: NDArray[np.int64] | None, n: int
) -> NDArray[np.int64]:
    """Return up to n places of largest value, (m,): in a short tour, or line by line where they are many.

    Parameters
    ----------
    field : DoseField
        State of the field.
    cost : VisitCost
        What visits cost.
    sparse : SparseChoice, optional
        Rates unvisited pixels where visits are dear.
    last : (2,) int64, optional
        Where the probe is, (row, column).
    n : int
        How many places at most.
    """
    values = field.value if sparse is None else sparse.values(field, cost)
    best, chosen = _chosen(field, (values * field.preference).ravel(), sparse, n)
    if n > LARGEST_TOUR or len(best) <= n:
        return np.sort(best[chosen])
    places = np.stack(np.divmod(best[chosen], field.value.shape[1]), axis=1)
    return np.asarray(best[chosen][short_tour(places, places[0] if last is None else last)])


def _chosen(
    field: DoseField, values: NDArray[np.float32], sparse: SparseChoice | None, n: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return places of largest value, (m,), best first, and which up to n of them are apart; more where few are."""
    for part in POOLS:
        best = _largest(values, part * n)
        chosen = np.zeros(len(best), bool)
        candidates = np.stack(np.divmod(best, field.value.shape[1]), axis=1)
        apart = np.full(len(best), APART) if sparse is None else sparse.spacing(field, candidates)
        count = choose_apart(candidates, apart, n, chosen)
        if count == n or len(best) < part * n:
            break
    if count < n:
        choose_apart(candidates, np.zeros(len(best)), n - count, chosen)
    return best, chosen


def _largest(values: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Return the places of up to n largest values above 0, (m,), the largest first."""
    pool = min(n, len(values))
    best = np.argpartition(values, -pool)[-pool:]
    best = best[np.lexsort((best, -values[best]))]
    return np.asarray(best[values[best] > 0])
