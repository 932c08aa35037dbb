"""Make the model that comes with the package: ``python -m daisy_bluesky.sampling.train_default [FILE]``."""

import sys
from collections.abc import Callable
from pathlib import Path

from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._training import train
from daisy_bluesky.sampling._training_images import training_images

SIDE = 128
TRAINING_SEEDS = (1, 2, 3)
CALIBRATION_SEEDS = (11, 12, 13, 14)
DESCRIPTION = (
    f"generated lines, grains, spheres, dendrites, fields and inclusions, {SIDE} x {SIDE}, "
    f"seeds {', '.join(map(str, TRAINING_SEEDS))}"
)
SHIPPED = Path(__file__).parent / "models" / "default.npz"


def make_default(tell: Callable[[str], object] = str) -> SladsModel:
    """Train on generated images of every kind, calibrate on others.

    Parameters
    ----------
    tell : callable, optional
        As for `daisy_bluesky.sampling.train`.

    Returns
    -------
    SladsModel
        The same every time.
    """
    return train(
        [image for seed in TRAINING_SEEDS for image in training_images(SIDE, seed)],
        calibration_maps=[image for seed in CALIBRATION_SEEDS for image in training_images(SIDE, seed)],
        description=DESCRIPTION,
        tell=tell,
    )


def main() -> None:
    """Train, save and describe the model."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    model = make_default()
    model.save(path)
    found = f"calibration {model.calibration[0].round(3)}, {model.interval.round(3)}"
    sys.stdout.write(f"{path}: {model.description}; {found}; {model.digest}\n")


if __name__ == "__main__":
    main()
