"""A stream of a run as an xarray Dataset."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray


def read_stream(run: Any, stream: str = "primary", *, lazy: bool = False) -> "xarray.Dataset":
    """Read a stream of a run from tiled.

    Parameters
    ----------
    run : BlueskyRun
        A run of the catalog, e.g. ``catalog[-1]``.
    stream : str
        Name of the stream.
    lazy : bool
        Give arrays as dask arrays, which read what is computed and no more; else everything is read now.

    Returns
    -------
    xarray.Dataset
        Scalars as (time,), arrays as (time, ...); ``time`` is the events' time, s since 1970.

    Raises
    ------
    ValueError
        If the run has no such stream.
    """
    if stream not in run:
        raise ValueError(f"run {run.metadata['start']['uid']} has no stream {stream!r}; it has {', '.join(run)}")
    if lazy:
        run = run.new_variation(structure_clients="dask")
    dataset: xarray.Dataset = run[stream].read()
    return dataset
