"""Back ends that know their specimen."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Identified(Protocol):
    """An instrument that can tell one specimen from another, as a simulation or a recording can.

    Attributes
    ----------
    specimen_identity : str
        The same for the same specimen, in any process.
    """

    specimen_identity: str
