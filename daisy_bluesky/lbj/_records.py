"""The records of a file, checked and opened as they are asked for."""

from collections import OrderedDict

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._codecs import CODED
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._events_tile import MOST_CHANNELS
from daisy_bluesky.lbj._record import BLOCK, ITEM, OVERHEAD, SPECTRUM, is_whole, parse_head
from daisy_bluesky.lbj._sealed import read_model, read_runs
from daisy_bluesky.lbj._source import Source
from daisy_bluesky.lbj._spectrum import Model
from daisy_bluesky.lbj._stored import Stored, TileCache, opened

_RECORDS_KEPT = 8


class Records:
    """Reads records of items, keeping the last ones that are in tiles.

    Parameters
    ----------
    source : Source
        The file.
    contents : Contents
        Its header and rows.
    """

    def __init__(self, source: Source, contents: Contents) -> None:
        self._source = source
        self._header = contents.header
        self._seed = contents.seed
        self._tiles = TileCache()
        self._models: dict[int, Model] = {}
        self._kept: OrderedDict[int, Stored] = OrderedDict()

    def get(self, place: int, length: int, seq_num: int, rank: int) -> Stored:
        """Return the record at a byte, which holds item `seq_num` as its item number `rank`.

        Raises
        ------
        LBJError
            If it is damaged or does not hold that item.
        """
        try:
            stored = self._kept.get(place)
            if stored is None or rank >= stored.items or stored.seq_nums[rank] != seq_num:
                stored = self._open(place, length, seq_num, rank)
        except LBJError as error:
            raise self.named(place, seq_num, error) from None
        if stored.codec == CODED or stored.items > 1:
            self._kept[place] = stored
            while len(self._kept) > _RECORDS_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
        return stored

    def named(self, place: int, seq_num: int, error: LBJError) -> LBJError:
        """Return an error that says where it happened."""
        return LBJError(f"{self._source.name}: record of item {seq_num} at byte {place}: {error}")

    def _open(self, place: int, length: int, seq_num: int, rank: int) -> Stored:
        record = self._source.read(place, OVERHEAD + length)
        head = parse_head(record)
        if head is None or head.kind not in (ITEM, BLOCK) or not is_whole(self._seed, place, head, record):
            raise LBJError("damaged (its checksum is wrong)")
        payload = Bytes(memoryview(record)[OVERHEAD:])
        seq_nums = read_runs(payload).tolist() if head.kind == BLOCK else [head.seq_num]
        if rank >= len(seq_nums) or seq_nums[rank] != seq_num:
            raise LBJError(f"is of item {seq_nums[min(rank, len(seq_nums) - 1)]}; the index is wrong, use salvage=True")
        return opened(self._header, head.codec, payload, seq_nums, self._model, place, self._tiles)

    def _model(self, place: int) -> Model:
        if place not in self._models:
            record = self._source.read(place, OVERHEAD)
            head = parse_head(record)
            if head is None or head.kind != SPECTRUM or place + head.size > self._source.size():
                raise LBJError(f"names a spectral model at byte {place}, where none is")
            record = self._source.read(place, head.size)
            if not is_whole(self._seed, place, head, record) or self._header.channels > MOST_CHANNELS:
                raise LBJError(f"its spectral model at byte {place} is damaged (its checksum is wrong)")
            self._models[place] = read_model(record[OVERHEAD:], self._header.channels)
        return self._models[place]
