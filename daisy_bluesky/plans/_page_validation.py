"""Checking a page of events against its schema, without going through what the schema leaves open."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from event_model import DocumentNames, schema_validators
from jsonschema.validators import extend  # type: ignore[import-untyped]

_ORIGINAL = schema_validators[DocumentNames.event_page]


def _flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that allows the same pages: in one piece, and silent about items that may be anything.

    The original extends another schema and forbids what neither of them evaluates, for which `jsonschema` goes through
    every page twice more, and it visits every value of every event only to find that any value will do.
    """
    partial = schema["$defs"]["PartialEventPage"]
    properties: dict[str, Any] = {**partial["properties"], **schema["properties"]}
    for name in ("data", "timestamps"):
        properties[name] = {**properties[name], "additionalProperties": {"type": "array"}}
    return {
        "type": "object",
        "properties": properties,
        "required": [*partial["required"], *schema["required"]],
        "additionalProperties": False,
    }


_each_item = type(_ORIGINAL).VALIDATORS["items"]
_each_property = type(_ORIGINAL).VALIDATORS["additionalProperties"]
_OF_TYPE: Mapping[str, set[type]] = {"string": {str}, "number": {float, int}, "integer": {int}, "array": {list}}


def _are(values: Iterable[Any], wanted: Any) -> bool:
    """Tell whether values are, on the face of it, all of the one type that is asked for, and nothing else is."""
    kind = wanted.get("type") if isinstance(wanted, dict) and len(wanted) == 1 else None
    return isinstance(kind, str) and kind in _OF_TYPE and _OF_TYPE[kind].issuperset(map(type, values))


def _items(validator: Any, items: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Exception]:
    """Find the same faults in the items of an array; where all are of the one type asked for, there are none."""
    if type(instance) is not list or not _are(instance, items):
        yield from _each_item(validator, items, instance, schema)


def _additional(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Exception]:
    """Find the same faults in properties of any name; where all are of the one type asked for, there are none."""
    if type(instance) is not dict or not _are(instance.values(), wanted):
        yield from _each_property(validator, wanted, instance, schema)


_QUICK = extend(type(_ORIGINAL), {"items": _items, "additionalProperties": _additional})(schema=_flat(_ORIGINAL.schema))


@contextmanager
def quick_page_validation() -> Iterator[None]:
    """Have the RunEngine find the same faults in pages in a tenth of the time, as long as the context lasts.

    It looks for what checks a document in `event_model.schema_validators` each time.
    """
    schema_validators[DocumentNames.event_page] = _QUICK
    try:
        yield
    finally:
        schema_validators[DocumentNames.event_page] = _ORIGINAL
