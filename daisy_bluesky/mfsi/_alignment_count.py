"""How far a registration has got."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Map = Callable[..., Iterable[Any]]


class AlignmentCount:
    """Tells how many alignments are done.

    Parameters
    ----------
    watch : callable or None
        Who is told: how many of how many.
    total : int
        Alignments in all.
    """

    def __init__(self, watch: Callable[[int, int], object] | None, total: int) -> None:
        self._watch, self._total, self._done = watch, total, 0

    def one_more(self) -> None:
        """Tell that one more is done."""
        self._done += 1
        if self._watch is not None:
            self._watch(min(self._done, self._total), self._total)

    def watched(self, mapping: Map) -> Map:
        """Return a mapping that tells of each result."""

        def told(*arguments: Any) -> Iterator[Any]:
            for result in mapping(*arguments):
                self.one_more()
                yield result

        return told
