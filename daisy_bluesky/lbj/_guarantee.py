"""What a file promises of the values in it: all of them exactly, or how far off, and at what cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from daisy_bluesky.lbj._arguments import real_number, whole_number
from daisy_bluesky.lbj._quantised_spectra import STEP_POINT

_SMALLEST_STEP = 2**-4
_LARGEST_STEP = 16.0
_MOST_BLOCKS = 2**16

Blocks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Guarantee:
    """How the values that come out differ from those that went in.

    Attributes
    ----------
    step : float or None
        Noise-quantised: values come back within half of this many sigma, as the stored noise model has them, with an
        error that is uniform and unbiased; values far from their prediction come back exactly.
    blocks : tuple of (int, int)
        Down-sampled: first channel and down-sampling of each block; blocks of down-sampling 1 come back exactly.
    channels : int
        Length of the channel axis.

    Raises
    ------
    ValueError
        If the step or a block is out of range, or both are given.
    """

    channels: int
    step: float | None = None
    blocks: Blocks = ()

    def __post_init__(self) -> None:
        if self.step is not None and self.blocks:
            raise ValueError("sigma and blocks exclude each other; give one of them")
        if self.step is not None and not _SMALLEST_STEP <= self.step <= _LARGEST_STEP:
            raise ValueError(f"sigma {self.step} must be from {_SMALLEST_STEP} to {_LARGEST_STEP}")
        if self.blocks:
            _check_blocks(self.blocks, self.channels)

    @classmethod
    def of(cls, channels: int, sigma: float | None, blocks: Sequence[tuple[int, int]] | None) -> "Guarantee":
        """Return the guarantee that `sigma` and `blocks`, as the user gives them, ask for."""
        points = 2**STEP_POINT
        step = None if sigma is None else real_number("sigma", sigma)
        if step is not None and _SMALLEST_STEP <= step <= _LARGEST_STEP:
            step = int(step * points) / points
        return cls(channels, step, () if blocks is None else _pairs_of(blocks))

    @property
    def kind(self) -> str:
        """``"exact"``, ``"noise-quantised"`` or ``"blocks"``."""
        if self.step is not None:
            return "noise-quantised"
        return "blocks" if any(factor > 1 for _, factor in self.blocks) else "exact"

    @property
    def samples(self) -> int:
        """Numbers that are kept of a spectrum."""
        ends = [*(start for start, _ in self.blocks[1:]), self.channels]
        kept = sum(-(-(end - start) // factor) for (start, factor), end in zip(self.blocks, ends, strict=False))
        return kept if self.blocks else self.channels

    @property
    def added_variance(self) -> float:
        """Variance that quantising adds to each voxel, in units of its modelled sigma squared."""
        return 0.0 if self.step is None else self.step**2 / 12

    @property
    def dose_thrown_away(self) -> float:
        """Share of the electrons that one could have saved for the same precision.

        Noise-quantised, it holds for whatever is measured. Down-sampled, it is that for features of one channel's
        width; those as wide as a block lose nothing.
        """
        return 1 - self.samples / self.channels if self.blocks else 1 - 1 / (1 + self.added_variance)

    def __str__(self) -> str:
        if self.kind == "exact":
            return "exact: every bit comes back"
        lost = f"which throws away {self.dose_thrown_away:.1%} of the dose"
        if self.step is not None:
            return (
                f"noise-quantised: within {self.step / 2:g} sigma of the modelled noise, unbiased, outliers exact; "
                f"adds {self.added_variance:.3g} sigma^2 of variance, {lost}"
            )
        return (
            f"lossy, down-sampled in blocks: {self.samples} of {self.channels} numbers of a spectrum are kept, exact "
            f"where the down-sampling is 1, {lost} for features of one channel"
        )

    def to_fields(self) -> dict[str, Any]:
        """Return what a file's description says; nothing for an exact one."""
        if self.kind == "exact":
            return {}
        asked: dict[str, Any] = {"sigma": self.step} if self.step is not None else {"blocks": [*map(list, self.blocks)]}
        return {"guarantee": {"kind": self.kind, **asked, "dose_thrown_away": round(self.dose_thrown_away, 6)}}

    @classmethod
    def from_fields(cls, channels: int, fields: Mapping[str, Any]) -> "Guarantee":
        """Return what a file's description says; ValueError, TypeError or KeyError where it is no guarantee."""
        if "guarantee" not in fields:
            return cls(channels)
        said = fields["guarantee"]
        guarantee = cls.of(channels, said.get("sigma"), said.get("blocks"))
        if guarantee.kind != said["kind"]:
            raise ValueError(f"guarantee {said['kind']!r} is not known")
        return guarantee


def _pairs_of(blocks: Sequence[tuple[int, int]]) -> Blocks:
    try:
        pairs = [(start, factor) for start, factor in blocks]
    except (TypeError, ValueError):
        raise ValueError("blocks must be pairs of first channel and down-sampling, e.g. [(0, 8), (100, 1)]") from None
    name = "first channel or down-sampling of blocks"
    return tuple((whole_number(name, start), whole_number(name, factor)) for start, factor in pairs)


def _check_blocks(blocks: Blocks, channels: int) -> None:
    if len(blocks) > _MOST_BLOCKS or blocks[0][0] != 0:
        raise ValueError(f"blocks begin with channel {blocks[0][0]}; the first must begin with 0")
    for (start, _), (following, _) in pairwise(blocks):
        if not start < following:
            raise ValueError(f"block from channel {following} follows one from {start}; give them in rising order")
    if blocks[-1][0] >= channels:
        raise ValueError(f"block from channel {blocks[-1][0]} of spectra with {channels} channels")
    for start, factor in blocks:
        if not 1 <= factor <= channels:
            raise ValueError(f"block from channel {start} is down-sampled by {factor}; give 1 to {channels}")
