"""Multi-frame spectrum imaging: fast frames registered, summed and mapped."""

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._common_distortion import CommonDistortion
from daisy_bluesky.mfsi._register import register
from daisy_bluesky.mfsi._registrar import Registrar
from daisy_bluesky.mfsi._registration import Registration

__all__ = ["AlignedSum", "CommonDistortion", "Registrar", "Registration", "register"]
