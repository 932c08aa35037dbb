"""Who does the work on single frames: this thread, others, other processes, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from types import TracebackType
from typing import Any

PATIENCE = 10  # s
LOCAL = ("synchronous", "threads", "processes")


class Workers:
    """Applies pure functions to frames, in parallel, with the results in their order; each worker has one in hand.

    Parameters
    ----------
    count : int, optional
        Workers of this machine, or frames a cluster is given at once.
    scheduler : str, optional
        A scheduler of dask: ``"synchronous"``, ``"threads"``, ``"processes"``, or the address of a cluster such as
        ``"tcp://host:8786"``. Threads when not given, or this thread alone where there is one worker.

    Raises
    ------
    ValueError
        If there is no such scheduler, or `count` is below 1.
    ModuleNotFoundError
        If a cluster is named and the package ``distributed`` is not installed.
    OSError
        If no cluster answers at the address.
    """

    def __init__(self, count: int = 1, scheduler: str | None = None) -> None:
        if count < 1:
            raise ValueError(f"workers is {count}, but must be 1 or more")
        self._count = count
        self.scheduler = scheduler or ("synchronous" if count == 1 else "threads")
        self._pool: Executor | None = None
        self._client: Any = None
        if self.scheduler == "threads":
            self._pool = ThreadPoolExecutor(count)
        elif self.scheduler == "processes":
            self._pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"))
        elif ":" in self.scheduler:
            self._client = _client(self.scheduler)
        elif self.scheduler not in LOCAL:
            raise ValueError(
                f"scheduler is {self.scheduler!r}; choose one of {', '.join(LOCAL)}, or name the address of a cluster "
                "such as tcp://host:8786"
            )

    def map(self, function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
        """Yield what a function gives for each frame, like `map`; no more results wait than there are workers.

        Parameters
        ----------
        function : callable
            A pure function; for processes and clusters, it and its arguments must pickle.
        *arguments : iterable
            Its arguments.
        """
        from dask.base import compute
        from dask.delayed import delayed

        tasks = (delayed(partial(function, *each), pure=False, traverse=False) for each in zip(*arguments))  # noqa: B905 - like map
        while portion := [task() for task in islice(tasks, self._count)]:
            yield from compute(*portion, **self._where())  # type: ignore[no-untyped-call,unused-ignore]

    def close(self) -> None:
        """Let the workers go; a cluster goes on without us."""
        if self._pool is not None:
            self._pool.shutdown()
        if self._client is not None:
            self._client.close()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _where(self) -> dict[str, Any]:
        if self._client is not None:
            return {"scheduler": self._client}
        return {"scheduler": self.scheduler} | ({"pool": self._pool} if self._pool is not None else {})


def _client(address: str) -> Any:
    try:
        client = import_module("distributed").Client
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'a cluster needs an optional package: pip install "daisy-bluesky[cluster]"'
        ) from error
    try:
        return client(address, timeout=PATIENCE)
    except (OSError, ValueError):
        raise OSError(f"no cluster answers at {address}: start its scheduler, or leave its address out") from None
