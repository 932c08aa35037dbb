"""Counts of zero bits, one machine instruction each, for compiled code."""

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.extending import intrinsic


@intrinsic
def _leading(_typing: Any, _value: Any) -> tuple[Any, Any]:
    return types.uint64(types.uint64), lambda context, builder, _signature, arguments: builder.ctlz(
        arguments[0], context.get_constant(types.boolean, False)
    )


@intrinsic
def _trailing(_typing: Any, _value: Any) -> tuple[Any, Any]:
    return types.uint64(types.uint64), lambda context, builder, _signature, arguments: builder.cttz(
        arguments[0], context.get_constant(types.boolean, False)
    )


leading_zeros = cast(Callable[[Any], Any], _leading)
"""Number of zero bits above the highest one of a uint64; 64 for zero."""
trailing_zeros = cast(Callable[[Any], Any], _trailing)
"""Number of zero bits below the lowest one of a uint64; 64 for zero."""
