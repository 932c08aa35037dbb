"""Keeps a table readable."""

import logging

SERVER_LOG = "tiled.server.app"


def keep_quiet() -> None:
    """Let the catalog inside this process log warnings and errors only: it announces itself each time it opens."""
    # a filter, not a level: the module sets its level when it is imported, which may be later
    logging.getLogger(SERVER_LOG).addFilter(_is_a_warning)


def _is_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
