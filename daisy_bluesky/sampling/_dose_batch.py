"""Several visits at once: of large value, apart from each other, ordered for short beam travel."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._batches import choose_apart
from daisy_bluesky.sampling._dose_field import DoseField
from daisy_bluesky.sampling._sparse_choice import APART, SparseChoice
from daisy_bluesky.sampling._tours import short_tour
from daisy_bluesky.sampling._visit_cost import VisitCost

POOL = 64
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
    values = (field.value if sparse is None else sparse.values(field, cost)).ravel()
    pool = min(POOL * n, len(values))
    best = np.argpartition(-values, pool - 1)[:pool]
    best = best[np.lexsort((best, -values[best]))]
    best = best[values[best] > 0]
    if len(best) <= n:
        return np.sort(best)
    candidates = np.stack(np.divmod(best, field.value.shape[1]), axis=1)
    chosen = np.zeros(len(best), bool)
    apart = np.full(len(best), APART) if sparse is None else sparse.spacing(field, candidates)
    count = choose_apart(candidates, apart, n, chosen)
    if count < n:
        choose_apart(candidates, np.zeros(len(best)), n - count, chosen)
    if n > LARGEST_TOUR:
        return np.sort(best[chosen])
    places = candidates[chosen]
    return np.asarray(best[chosen][short_tour(places, places[0] if last is None else last)])
