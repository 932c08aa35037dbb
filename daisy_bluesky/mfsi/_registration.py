"""Where every frame of a series lies, to be asked frame by frame and stored in a few small arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._alignment import Alignment
from daisy_bluesky.mfsi._common_distortion import CommonDistortion, common_distortion
from daisy_bluesky.mfsi._scan_basis import ScanBasis, resized
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Registration:
    """Displacements of the frames of a series in a common frame, in which the mean shift is zero.

    Attributes
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    numbers : (n,) int64
        Numbers of the frames that were registered.
    coefficients : (n, functions, 2) float64
        Coefficients of each frame's smooth distortion, the frame's shift first, px.
    rows : (n, rows, 2) float64
        Displacement of each row beyond that, px.
    error : (n, 2) float64
        Expected error of a pixel's displacement in each frame along rows and columns, px; not finite where unknown.
    excluded : mapping of int to str
        Frames that were left out, with the reason.
    degree : int
        Highest degree of the smooth distortion's polynomials.
    waves : (waves, 2) float64
        Frequencies of waves over the scan along rows and columns, cycles per px.
    scan_fraction : float
        Part of the time from one frame to the next that is spent scanning.
    frames : sequence of array_like or None
        The frames themselves, for `image`.
    """

    shape: tuple[int, int]
    numbers: NDArray[np.int64]
    coefficients: Array
    rows: Array
    error: Array
    excluded: Mapping[int, str]
    degree: int
    waves: Array
    scan_fraction: float = 1.0
    frames: Sequence[ArrayLike] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_alignments(
        cls,
        alignments: Sequence[Alignment | None],
        basis: ScanBasis,
        excluded: Mapping[int, str],
        scan_fraction: float = 1.0,
        frames: Sequence[ArrayLike] | None = None,
    ) -> "Registration":
        """Return the registration of aligned frames, None for those left out.

        Raises
        ------
        ValueError
            If fewer than two frames could be used.
        """
        found = [(number, alignment) for number, alignment in enumerate(alignments) if alignment is not None]
        require_frames(len(found), excluded)
        functions = len(basis.degrees)
        return cls(
            basis.shape,
            np.array([number for number, _ in found]),
            np.array([resized(alignment.coefficients, functions) for _, alignment in found]),
            np.array([alignment.rows for _, alignment in found]),
            np.array([alignment.error for _, alignment in found]),
            dict(excluded),
            basis.degree,
            np.array(basis.waves, dtype=np.float64).reshape(-1, 2),
            scan_fraction,
            frames,
        )

    @property
    def common_distortion(self) -> CommonDistortion:
        """Shear and stretch that all frames share, from the drift between them."""
        return common_distortion(self.numbers, self._shifts(), self.shape, self.scan_fraction)

    def displacement(self, frame: int) -> Array:
        """Return where a frame lies.

        Parameters
        ----------
        frame : int
            Number of the frame in the series.

        Returns
        -------
        (rows, columns, 2) float64
            What the frame shows at (r, c) lies at (r, c) + displacement in the common frame, px.

        Raises
        ------
        ValueError
            If the frame was left out, or there is no such frame.
        """
        basis = ScanBasis(self.shape, self.degree, tuple((float(y), float(x)) for y, x in self.waves))
        place = self._place(frame)
        displacement = basis.displacement(self.coefficients[place], self.rows[place])
        displacement -= self._shifts().mean(axis=0)
        matrix = self.common_distortion.matrix
        if matrix.any():
            pixels = np.moveaxis(np.indices(self.shape), 0, -1) - (np.array(self.shape) - 1) / 2
            displacement = displacement + (pixels + displacement) @ matrix.T
        return displacement

    def shift(self, frame: int) -> Array:
        """Return the mean displacement of a frame, (2,) float64, px; arguments and errors as `displacement`."""
        return np.asarray(self.displacement(frame).mean(axis=(0, 1)))

    def image(self, upsample: int = 1, *, memory_limit: int = MEMORY_LIMIT) -> Array:
        """Return the aligned sum of the frames divided by their exposure.

        Parameters
        ----------
        upsample : int, optional
            Pixels of the image per pixel of a frame along each axis, 1 to 8; pixel k of an axis is centred at
            ``(k - (upsample - 1) / 2) / upsample``.
        memory_limit : int, optional
            Most bytes the sum and its exposure may take.

        Returns
        -------
        (upsample * rows, upsample * columns) float64
            Mean intensity; not a number where no frame looked.

        Raises
        ------
        ValueError
            If the registration has no frames at hand.
        MemoryError
            If the limit would be exceeded; nothing is allocated then.
        """
        if self.frames is None:
            raise ValueError("this registration was made without its frames: pass them to with_frames first")
        total = AlignedSum(self.shape, upsample=upsample, memory_limit=memory_limit)
        for number in self.numbers:
            total.add(self.frames[int(number)], self.displacement(int(number)))
        return total.image()

    def with_frames(self, frames: Sequence[ArrayLike]) -> "Registration":
        """Return the same registration with its frames, (n, rows, columns), at hand for `image`."""
        return Registration(**{**self.__dict__, "frames": frames})

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return all of it but the frames as plain arrays, displacements in single precision, for any store."""
        return {
            "shape": np.array(self.shape),
            "numbers": self.numbers,
            "shifts": self.coefficients[:, 0],
            "coefficients": self.coefficients.astype(np.float32),
            "rows": self.rows.astype(np.float32),
            "error": self.error.astype(np.float32),
            "excluded_numbers": np.array(list(self.excluded), dtype=np.int64),
            "excluded_reasons": np.array(list(self.excluded.values()), dtype=np.str_),
            "degree": np.array(self.degree),
            "waves": self.waves,
            "scan_fraction": np.array(self.scan_fraction),
        }

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[np.generic]], frames: Sequence[ArrayLike] | None = None
    ) -> "Registration":
        """Return what `to_arrays` gave, with its frames if wanted."""
        coefficients = np.array(arrays["coefficients"], dtype=np.float64)
        coefficients[:, 0] = arrays["shifts"]
        reasons = [str(reason) for reason in arrays["excluded_reasons"]]
        return cls(
            (int(arrays["shape"][0]), int(arrays["shape"][1])),
            np.array(arrays["numbers"], dtype=np.int64),
            coefficients,
            np.array(arrays["rows"], dtype=np.float64),
            np.array(arrays["error"], dtype=np.float64),
            dict(zip((int(n) for n in arrays["excluded_numbers"]), reasons, strict=True)),
            int(arrays["degree"]),
            np.array(arrays["waves"], dtype=np.float64),
            float(arrays["scan_fraction"]),
            frames,
        )

    def _shifts(self) -> Array:
        return np.asarray(self.coefficients[:, 0])

    def _place(self, frame: int) -> int:
        if frame in self.excluded:
            raise ValueError(f"frame {frame} was left out: {self.excluded[frame]}")
        place = np.flatnonzero(self.numbers == frame)
        if len(place) == 0:
            raise ValueError(f"there is no frame {frame} in this registration")
        return int(place[0])


def require_frames(usable: int, excluded: Mapping[int, str]) -> None:
    """Raise ValueError, with reasons, where fewer than two frames are usable."""
    if usable < 2:
        why = "; ".join(f"frame {number}: {reason}" for number, reason in list(excluded.items())[:3])
        raise ValueError(f"registration needs two usable frames, and has {usable}{why and f' ({why})'}")
