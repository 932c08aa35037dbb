"""A fault as one short sentence."""

from difflib import get_close_matches
from typing import Any

ALIKE = 0.75
"""Least similarity with which a known option is taken for what was meant."""


def fault_line(error: BaseException) -> str:
    """Return what went wrong as one line: never a traceback, never what a library has to say about itself."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if hasattr(error, "format_message"):
        return _usage(error)
    text, cause = _joined(error), error.__cause__
    if not text:
        return type(error).__name__
    told = _joined(cause) if cause is not None and "\n" not in str(cause).strip() else ""
    return text if told in text else f"{text} ({told})"


def _joined(error: BaseException) -> str:
    return " ".join(str(error).split())


def _usage(error: Any) -> str:
    """Return what is wrong with the words of a command."""
    help_of = f"see {error.ctx.command_path} --help" if getattr(error, "ctx", None) else "see --help"
    option = getattr(error, "option_name", None)
    if option and hasattr(error, "possibilities"):
        meant = get_close_matches(option, error.possibilities or (), 1, ALIKE)
        return f"there is no option {option}; " + (f"did you mean {meant[0]}?" if meant else help_of)
    details = getattr(error.__cause__, "errors", None)
    if details is not None and error.param is not None:
        return f"{_name(error.param)}: {_value(details()[0])}"
    return " ".join(str(error.format_message()).split())


def _name(parameter: Any) -> str:
    return str(max(parameter.opts, key=len))


def _value(fault: dict[str, Any]) -> str:
    given, limits = fault["input"], fault.get("ctx", {})
    match fault["type"]:
        case "greater_than_equal":
            return f"{given} is too small; give at least {limits['ge']}"
        case "less_than_equal":
            return f"{given} is too large; give at most {limits['le']}"
        case kind if kind.startswith("int_"):
            return f"{given} is no whole number; give one"
        case "float_parsing":
            return f"{given} is no number; give one"
    return f"{given}: {fault['msg']}"
