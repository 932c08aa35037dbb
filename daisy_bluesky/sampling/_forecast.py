"""How good a map will be for a price, from rehearsals of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from daisy_bluesky.sampling._rehearsed_maps import Paid

LEAST = 1e-5  # distortion that a perfect map counts as, on logarithmic scales


@dataclass(frozen=True)
class Forecast:
    """How good a map will be for a price.

    Attributes
    ----------
    policy : str
        ``"raster"``, ``"sparse"`` or ``"dose"``.
    seconds : float
        Time of the whole map: dwell and overhead, s.
    exposure : float
        Dwell time of the whole map, s.
    fraction : float
        Visits, as a fraction of the pixels.
    distortion, low, high : float
        Total distortion: median of the rehearsals, and the least and the largest of them.
    """

    policy: str
    seconds: float
    exposure: float
    fraction: float
    distortion: float
    low: float
    high: float


def between(one: tuple[float, float], other: tuple[float, float], wanted: float) -> float:
    """Return the price of a distortion between two (price, distortion), on logarithmic scales."""
    if not one[1] > other[1]:
        return other[0]
    part = np.clip(np.log(one[1] / wanted) / np.log(one[1] / other[1]), 0.0, 1.0)
    return float(one[0] * (other[0] / one[0]) ** part)


def joined(policy: str, runs: Sequence[Sequence[Paid | None]]) -> list[Forecast]:
    """Return the forecasts that maps of several fields amount to, prices per pixel and rising."""
    forecasts = list[Forecast]()
    for same in zip(*runs, strict=True):
        points = [point for point in same if point is not None]
        dearest = forecasts[-1].seconds if forecasts else 0.0
        if points and np.median([point.seconds for point in points]) > dearest:
            found = [point.distortion for point in points]
            forecasts.append(
                Forecast(
                    policy,
                    seconds=float(np.median([point.seconds for point in points])),
                    exposure=float(np.median([point.exposure for point in points])),
                    fraction=float(np.median([point.fraction for point in points])),
                    distortion=float(np.median(found)),
                    low=min(found),
                    high=max(found),
                )
            )
    return forecasts


def reaching(points: Sequence[Forecast], wanted: float) -> Forecast | None:
    """Return the map of a policy that reaches a distortion, between two of rising price; None where none does."""
    reached = next((index for index, point in enumerate(points) if point.distortion <= wanted), None)
    if reached is None or reached == 0:
        return None if reached is None else points[0]
    before, last = points[reached - 1], points[reached]

    def price(cheap: float, dear: float) -> float:
        return between((cheap, before.distortion), (dear, max(last.distortion, LEAST)), wanted)

    return replace(
        last,
        seconds=price(before.seconds, last.seconds),
        exposure=price(before.exposure, last.exposure),
        fraction=price(before.fraction, last.fraction),
        distortion=wanted,
        low=min(last.low, wanted),
        high=max(before.high, wanted),
    )


def order_of(points: Sequence[Forecast], wanted: float) -> tuple[float, float]:
    """Return what to order sparse maps by: the time they take, or where none gets there how far they get."""
    found = reaching(points, wanted)
    return (found.seconds, 0.0) if found else (np.inf, min((point.distortion for point in points), default=1.0))
