"""Tiles of counts decoded slowly, by a reader that knows nothing but the specification."""

import struct
from math import ceil

import zstandard

LEVELS = 64


def number(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


class Bits:
    """Adaptive Rice codes."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}"[::-1] for byte in data)
        self.place = 0

    def field(self, width):
        taken = self.text[self.place : self.place + width]
        assert len(taken) == width
        self.place += width
        return int(taken[::-1] or "0", 2)

    def value(self, state):
        memory, s = state
        mean, k, q = (s + 2 ** (memory - 1)) >> memory, 0, 0
        while 2**k < mean:
            k += 1
        while q < 24 and not self.field(1):
            q += 1
        v = self.field(64) if q == 24 else (q << k) + self.field(k)
        state[1] = s + min(v, 2**32) - (s >> memory)
        return v


def dense_stream(data, n):
    bits, state = Bits(data), [2, 0]
    return [bits.value(state) for _ in range(n)]


def sparse(data, n):
    found, place = number(data, 0)
    bits, gaps, counts = Bits(data[place:]), [4, n // max(found, 1) * 16], [2, 0]
    values = []
    for _ in range(found):
        values += [0] * bits.value(gaps)
        values.append(bits.value(counts) + 1)
    return values + [0] * (n - len(values))


def vector(data, place, n):
    length, place = number(data, place)
    part, place = data[place : place + length // 2], place + length // 2
    return (sparse if length % 2 else dense_stream)(part, n), place


def table_row(scale, step):
    doublings = max(scale - 1, 0)
    odds = (2**32 << (7 if scale == 0 else 6)) // (2 * (64 + step) + 1) >> doublings
    none = 2**32 - odds
    for _ in range(doublings):
        none = none * none >> 32
    row, left = [0], 2**32
    for quotient in range(1, 32):
        left = left * none >> 32
        row.append(min(max(2**16 - (left >> 16), row[-1] + 1), 2**16 - 32 + quotient))
    return [*row, 2**16]


class Rans:
    def __init__(self, words):
        self.x = words[0] + (words[1] << 32)
        self.words = list(words[2:])

    def refill(self):
        if self.x < 2**32:
            self.x = (self.x << 32) | self.words.pop(0)

    def take(self, start, size):
        self.x = size * (self.x >> 16) + self.x % 2**16 - start
        self.refill()

    def bits(self, width):
        value = self.x % 2**width
        self.x >>= width
        self.refill()
        return value

    def quotient(self, row):
        symbol = next(s for s in range(32) if row[s] <= self.x % 2**16 < row[s + 1])
        self.take(row[symbol], row[symbol + 1] - row[symbol])
        return symbol

    def gap(self, left, places):
        if left == places:
            return 0
        if left == 1:
            low = max((places - 1).bit_length() - 8, 0)
            size = 2**16 // (((places - 1) >> low) + 1)
            q = self.x % 2**16 // size
            self.take(q * size, size)
            return (q << low) + self.bits(low)
        ratio = ((places + 2) << 6) // (left + 1)
        scale = ratio.bit_length() - 7
        row = table_row(min(scale, 7), (ratio >> scale) - 64)
        total = q = self.quotient(row)
        while q == 31:
            q = self.quotient(row)
            total += q
        low = max(scale - 1, 0)
        return (total << low) + self.bits(low)

    def subset(self, n, places):
        if 2 * n > places:
            others = set(self.subset(places - n, places))
            return [place for place in range(places) if place not in others]
        taken, begin = [], 0
        for left in range(n, 0, -1):
            taken.append(begin + self.gap(left, places - begin))
            begin = taken[-1] + 1
        return taken

    def end(self):
        assert self.x == 2**32
        assert not self.words


def back(distance, foretold):
    if distance > 2 * foretold:
        return distance
    return foretold - (distance + 1) // 2 if distance % 2 else foretold + distance // 2


def near(values):
    if len(values) < 3:
        return values[-1] if values else 0
    return (2 * values[-1] + values[-2] + values[-3] + 2) // 4


def first_level(distances, model, total):
    values = []
    for channel, distance in enumerate(distances):
        foretold = (model[channel] * total + sum(model) // 2) // sum(model) if model else near(values)
        values.append(back(distance, foretold))
    return values


def further_level(data, place, below, two_below, level):
    kept = [channel for channel, size in enumerate(below) if size]
    distances, place = vector(data, place, len(kept))
    values = [0] * len(below)
    for channel, distance in zip(kept, distances, strict=True):
        share = (below[channel] << 16) // two_below[channel]
        if level == 1:
            share = share * ((12 << 16) + 4 * share + (3 * share * share >> 16)) // (24 << 16)
        else:
            share = share * level // (level + 1)
        values[channel] = back(distance, (below[channel] * share + 2**15) >> 16)
    return values, place


def words(data):
    return struct.unpack(f"<{len(data) // 4}I", data)


def events_tile(data, pixels, channels, model):
    total, place = number(data, 0)
    occupied, place = number(data, place)
    ranks = list(range(pixels))
    if occupied:
        length, place = number(data, place)
        stream = Rans(words(data[place : place + 4 * length]))
        ranks, place = stream.subset(occupied, pixels), place + 4 * length
        stream.end()
    n_levels, place = number(data, place)
    distances, place = vector(data, place, channels)
    levels = [first_level(distances, model, total)]
    assert sum(levels[0]) == total
    two_below = [len(ranks)] * channels
    for level in range(1, n_levels):
        values, place = further_level(data, place, levels[-1], two_below, level)
        two_below = levels[-1]
        levels.append(values)
    bands, held, wanted = [0], 0, max(1024, ceil(total / 32))
    for channel in range(channels):
        held += levels[0][channel]
        if held >= wanted or channel == channels - 1:
            bands.append(channel + 1)
            held = 0
    lengths, place = vector(data, place, len(bands) - 1)
    counts = {}
    for length, first, last in zip(lengths, bands, bands[1:], strict=False):
        stream, place = Rans(words(data[place : place + 4 * length])), place + 4 * length
        for channel in range(first, last):
            for rank, count in one_channel(stream, [level[channel] for level in levels], len(ranks)):
                counts[ranks[rank], channel] = count
        stream.end()
    assert place == len(data)
    return counts


def one_channel(stream, sizes, places):
    if sizes[0] == 0:
        return []
    taken = stream.subset(sizes[0], places)
    counts, members = [1] * len(taken), list(range(len(taken)))
    for level in range(1, len(sizes)):
        members = [members[i] for i in stream.subset(sizes[level], len(members))]
        for member in members:
            counts[member] = level + 1
        if not members:
            break
    if len(sizes) == LEVELS:
        for member in members:
            width, excess = stream.bits(6), 1
            while width:
                piece = width % 31 or 31
                excess, width = (excess << piece) | stream.bits(piece), width - piece
            counts[member] = excess + LEVELS - 1
    return list(zip(taken, counts, strict=True))


def numbers_tile(data, channels):
    n, place = number(data, 0)
    length, place = number(data, place)
    plain = zstandard.ZstdDecompressor().decompress(data[place:])
    assert len(plain) == length
    numbers, place = [], 0
    while place < length:
        value, place = number(plain, place)
        numbers.append(value)
    counts, position = {}, -1
    for gap, excess in zip(numbers[:n], numbers[n:], strict=True):
        position += gap + 1
        counts[divmod(position, channels)] = excess + 1
    return counts


class Adaptive:
    """The adaptive binary range coder of tiles of all counts."""

    def __init__(self, coded, plain):
        self.coded, self.contexts = list(coded), {}
        self.plain = Bits(plain)
        self.low, self.high, self.value = 0, 2**32 - 1, 0
        for _ in range(4):
            self.value = self.value << 8 | self.coded.pop(0)

    def bit(self, context):
        chance, seen = self.contexts.get(context, (2**21, 0))
        middle = self.low + ((self.high - self.low) * min(max(chance >> 6, 16), 65520) >> 16)
        bit = int(self.value <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        chance += ((bit << 22) - bit - chance) * (131072 // (2 * seen + 3)) >> 16
        self.contexts[context] = chance, min(seen + 1, 1000)
        while self.low >> 24 == self.high >> 24:
            self.low, self.high = self.low << 8 & 0xFFFFFFFF, (self.high << 8 & 0xFFFFFFFF) | 255
            self.value = (self.value << 8 & 0xFFFFFFFF) | self.coded.pop(0)
        return bit

    def symbol(self, of):
        node = 1
        while node < 64:
            node = 2 * node + self.bit((of, node))
        return node - 64


def counts_tile(data, pixels, channels):
    length, place = number(data, 0)
    stream = Adaptive(data[place : place + length], data[place + length :])
    found, spectrum = {}, [0] * channels
    for pixel in range(pixels):
        counts, seen, expected = [], 0, 0
        for channel in range(channels):
            foretold = 16 * (2 * counts[-1] + counts[-2] + counts[-3]) if channel > 2 else 64 * sum(counts[-1:])
            if expected > 0:
                known = 4 * min(pixel, 64)
                foretold = (spectrum[channel] * seen // expected * known + 4 * foretold) // (known + 4)
            distance = stream.symbol(min((foretold >> 4).bit_length(), 31))
            if distance >= 32:
                distance = (stream.plain.field(distance - 32) | 1 << (distance - 32)) + 31
            counts.append(back(distance, (foretold + 32) >> 6))
            seen += counts[-1] - (seen >> 5)
            expected += (spectrum[channel] >> 6) - (expected >> 5)
            spectrum[channel] += counts[-1] - (spectrum[channel] >> 6)
        found |= {(pixel, channel): count for channel, count in enumerate(counts) if count}
    return found


def pairs_tile(data, pixels, channels):
    values = sparse(data, pixels * channels)
    return {divmod(position, channels): value for position, value in enumerate(values) if value}


def tile(data, pixels, channels, model):
    mode, data = data[0], data[1:]
    if mode in (1, 2):
        return events_tile(data, pixels, channels, model if mode == 2 else None)
    if mode == 3:
        return numbers_tile(data, channels)
    if mode == 4:
        return counts_tile(data, pixels, channels)
    if mode == 5:
        return pairs_tile(data, pixels, channels)
    assert (mode, data) == (0, b"")
    return {}


def tiles(data, channels, model):
    """Return counts by (pixel, channel) of a payload behind the place of its model."""
    n, place = number(data, 0)
    directory = []
    for _ in range(n):
        pixels, place = number(data, place)
        length, place = number(data, place)
        directory.append((pixels, length))
    counts, first = {}, 0
    for pixels, length in directory:
        for (pixel, channel), count in tile(data[place : place + length], pixels, channels, model).items():
            counts[first + pixel, channel] = count
        first, place = first + pixels, place + length
    assert place == len(data)
    return counts
