"""A user's metadata beside that of the plan."""

from collections.abc import Mapping
from typing import Any

RESERVED = frozenset(
    {
        "recommender",
        "model_digests",
        "continues",
        "beam_account",
        "shape",
        "field",
        "pixel_size",
        "num_points",
        "multiframe",
        "dwell_budget",
    }
)
"""What a report, a replay or a continuation reads."""


def joined_metadata(metadata: Mapping[str, Any], md: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the plan's metadata with the user's, which may replace what nothing later depends on.

    Raises
    ------
    ValueError
        The user's is no mapping, or would replace what a report, a replay or a continuation reads.
    """
    if md is None:
        return dict(metadata)
    if not isinstance(md, Mapping):
        raise ValueError(f"md: {md!r} is no dictionary; give one, such as {{'sample': 'rock'}}")
    if taken := sorted(RESERVED & md.keys()):
        raise ValueError(f"md: {', '.join(taken)} is the plan's own; choose another key")
    return {**metadata, **md}
