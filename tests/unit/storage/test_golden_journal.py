"""A journal that was written once can be read for ever."""

from pathlib import Path

import orjson
import pytest
from document_streams import last_wins, normalised

from daisy_bluesky.storage import final_events, inline, replay

GOLDEN = Path(__file__).parents[2] / "golden" / "journal"


@pytest.fixture(scope="module")
def emitted():
    return [tuple(document) for document in orjson.loads((GOLDEN / "documents.json").read_bytes())]


def test_the_golden_journal_gives_the_documents_that_were_emitted(emitted):
    assert normalised(inline(final_events(GOLDEN / "a-golden-run"), GOLDEN / "a-golden-run")) == normalised(
        last_wins(emitted)
    )


def test_a_journal_that_was_moved_is_replayed(emitted):
    assert normalised(replay(GOLDEN / "a-golden-run")) == normalised(last_wins(emitted))
