"""Summaries of tiles and of blocks of tiles: what a measurement changes, and the best pixel, are quick to find."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import BLOCK, MASK, NEVER, QUIET, SHIFT, TILE, Summary


@compiled
def mark(summary: Summary, row: int, column: int) -> None:
    """Note that the summaries over a pixel no longer hold."""
    summary.tiles[row // TILE, column // TILE].dirty = True
    summary.blocks[row // (TILE * BLOCK), column // (TILE * BLOCK)].dirty = True


@compiled
def summarise(pixels: NDArray[Any], summary: Summary, places: NDArray[np.int32]) -> None:
    """Bring the marked summaries over some pixels up to date."""
    tiles, blocks = summary
    for place in places:
        row, column = (place >> SHIFT) // TILE, (place & MASK) // TILE
        if tiles[row, column].dirty:
            _summarise_tile(pixels, tiles, row, column)
    for place in places:
        row, column = (place >> SHIFT) // (TILE * BLOCK), (place & MASK) // (TILE * BLOCK)
        if blocks[row, column].dirty:
            _summarise_block(tiles, blocks, row, column)


@compiled
def summarise_all(pixels: NDArray[Any], summary: Summary) -> None:
    """Compute every summary anew."""
    tiles, blocks = summary
    for row in range(tiles.shape[0]):
        for column in range(tiles.shape[1]):
            _summarise_tile(pixels, tiles, row, column)
    for row in range(blocks.shape[0]):
        for column in range(blocks.shape[1]):
            _summarise_block(tiles, blocks, row, column)


@compiled
def best_place(summary: Summary) -> int:
    """Return the place of the largest score, of equals the first in order of blocks; -1 when nothing is left."""
    best, score = -1, NEVER
    for row in range(summary.blocks.shape[0]):
        for column in range(summary.blocks.shape[1]):
            block = summary.blocks[row, column]
            if block.score > score:
                best, score = block.best, block.score
    return int(best)


@compiled
def ranked(pixel: Any) -> float:
    """Return what a pixel, PIXEL, is compared by."""
    return float(pixel.score * pixel.preference) if pixel.score > 0 else float(pixel.score)


@compiled
def _summarise_tile(pixels: NDArray[Any], tiles: NDArray[Any], tile_row: int, tile_column: int) -> None:
    """Bring a tile's largest reach and score and its sums of doubt up to date."""
    top, left = tile_row * TILE, tile_column * TILE
    reach, score, best = 0, NEVER, (top << SHIFT) + left
    doubt, quiet = 0.0, 0.0
    for row in range(top, min(top + TILE, pixels.shape[0])):
        for column in range(left, min(left + TILE, pixels.shape[1])):
            pixel = pixels[row, column]
            reach = max(reach, pixel.reach)
            if pixel.inside:
                doubt += pixel.doubt
                quiet += pixel.doubt if pixel.doubt < QUIET else 0.0
            rank = ranked(pixel)
            if rank > score:
                best, score = (row << SHIFT) + column, rank
    tile = tiles[tile_row, tile_column]
    tile.reach, tile.score, tile.best, tile.dirty = reach, score, best, False
    tile.doubt, tile.quiet = doubt, quiet


@compiled
def _summarise_block(tiles: NDArray[Any], blocks: NDArray[Any], block_row: int, block_column: int) -> None:
    """Bring a block's largest reach and score up to date from those of its tiles."""
    top, left = block_row * BLOCK, block_column * BLOCK
    reach, score, best = 0, NEVER, tiles[top, left].best
    for row in range(top, min(top + BLOCK, tiles.shape[0])):
        for column in range(left, min(left + BLOCK, tiles.shape[1])):
            tile = tiles[row, column]
            reach = max(reach, tile.reach)
            if tile.score > score:
                best, score = tile.best, tile.score
    block = blocks[block_row, block_column]
    block.reach, block.score, block.best, block.dirty = reach, score, best, False
