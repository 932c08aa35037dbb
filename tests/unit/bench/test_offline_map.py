import numpy as np

from daisy_bluesky.bench._offline import map_offline

SHAPE = (4, 5)
VISIT = np.dtype([("row", np.int64), ("column", np.int64), ("dwell", np.float64)])


class Lines:
    """Visits pixel after pixel and remembers what it was told."""

    shape = SHAPE

    def __init__(self):
        self.told = {}

    def suggest(self, n=1):
        done = len(self.told)
        return np.array([(*divmod(done + i, SHAPE[1]), np.nan) for i in range(n)], VISIT)

    def ingest(self, positions, evidence, *, dwell=None, visits=None):
        for position, label, visit in zip(positions, evidence, visits, strict=True):
            self.told[visit] = (tuple(position), label)

    def reconstruct(self):
        found = np.zeros(SHAPE, np.int64)
        for position, label in self.told.values():
            found[position] = label
        return found


class SecondThoughts:
    """Takes every spectrum for unknown until five are there, then names them all by their counts."""

    phases = ("dim", "bright")

    def __init__(self):
        self.bright = []
        self.told = False

    def label(self, visit, spectrum):
        self.bright.append(1 + int(spectrum.sum() > 10))
        return -1 if len(self.bright) < 5 else self.bright[-1]

    def relabelled(self):
        if len(self.bright) != 5 or self.told:
            return []
        self.told = True
        return list(enumerate(self.bright[:4]))


def test_what_was_thought_again_reaches_policy_and_result():
    counts = np.arange(20).reshape(SHAPE)
    visited = []

    def spectrum(row, column, visit):
        visited.append(visit)
        return np.array([counts[row, column], 0])

    policy = Lines()
    found = map_offline(policy, SecondThoughts(), spectrum, 20)
    expected = 1 + (counts > 10)
    np.testing.assert_array_equal(found.phase_map, expected)
    np.testing.assert_array_equal(found.labels, expected.ravel())
    np.testing.assert_array_equal(found.positions, np.argwhere(np.ones(SHAPE, bool)))
    assert visited == list(range(20))
    assert found.decisions.shape == (20,)
    assert np.all(found.decisions >= 0)
