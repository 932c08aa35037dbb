"""Where on the field the pixels of a frame lie."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FrameGrid:
    """The pixels of a frame.

    Attributes
    ----------
    shape : tuple of int
        Lines and pixels of a line, (rows, columns).
    pixel_size : float
        Distance between them, nm.
    origin : tuple of float
        Where the first lies, (row, column), in pixels of the field.
    sub_pixel : int
        Places along each axis over which the beam is moved within a pixel; 1 keeps it at the centre.
    """

    shape: tuple[int, int]
    pixel_size: float
    origin: tuple[float, float] = (0.0, 0.0)
    sub_pixel: int = 1

    def check(self, field: tuple[int, int], pixel_size: float) -> None:
        """Refuse pixels that do not lie in a field of some shape and pixel size, nm.

        Raises
        ------
        ValueError
            If one does not, or a number makes no sense.
        """
        if not self.pixel_size > 0 or self.sub_pixel < 1:
            raise ValueError(f"pixel_size {self.pixel_size} nm and sub_pixel {self.sub_pixel} must be positive")
        for place, number, size in zip(self.origin, self.shape, field, strict=True):
            end = place + (number - 1) * self.pixel_size / pixel_size
            if number < 1 or place < -_SLACK or end > size - 1 + _SLACK:
                raise ValueError(f"shape: {self.shape} does not lie in the field of {field} pixels")


_SLACK = 1e-6
