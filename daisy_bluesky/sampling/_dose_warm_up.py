"""Compiles the kernels of dose allocation before the first electron, not between two."""

from functools import cache

import numpy as np

from daisy_bluesky.sampling._dose_field import empty_dose_field
from daisy_bluesky.sampling._dose_surprise import learn_surprise
from daisy_bluesky.sampling._dose_update import observe_each
from daisy_bluesky.sampling._messages import couplings, sweep
from daisy_bluesky.sampling._prior_strength import FIRST, STRENGTHS, estimated_strength
from daisy_bluesky.sampling._visit_value import best_visit, learn_separation, rate_all


@cache
def compile_dose_kernels() -> None:
    """Run every kernel once on a field of four pixels; they are cached on disk and in the process."""
    limit = np.ones((2, 2))
    field = empty_dose_field(limit, limit > 0, 2, np.array([0.0, 0.0, 0.1, 0.0]), (0, 0))
    field.coupling[:] = couplings(1.0)
    learn_separation(field)
    observe_each(field, np.array([[1, 1]]), np.array([[0.0, -1.0]]), np.array([0.1]))
    learn_surprise(field)
    sweep(field, 1, 1.0)
    rate_all(field)
    best_visit(field)
    estimated_strength(field, STRENGTHS[FIRST])
