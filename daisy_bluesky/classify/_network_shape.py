"""The layers of the phase network."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkShape:
    """The layers of the phase network: kernel width, stride, features of the convolutions, neurons of the layers."""

    width: int = 10
    stride: int = 2
    features: tuple[int, int] = (8, 16)
    neurons: tuple[int, int] = (100, 32)

    def flat(self, bins: int) -> int:
        """Return how many values reach the first fully connected layer."""
        length = bins
        for _ in range(4):
            length = (length - self.width) // self.stride + 1
        return length * self.features[1]
