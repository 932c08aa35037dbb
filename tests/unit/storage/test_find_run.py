import pytest
from document_streams import journalled, spectrum_run

from daisy_bluesky.storage import find_run


def test_a_run_is_found_by_enough_of_its_uid_or_by_how_recent_it_is(tmp_path):
    folders = [journalled(tmp_path, spectrum_run(0)) for _ in range(3)]
    for folder in folders:
        assert find_run(folder.name, tmp_path) == folder
        assert find_run(folder.name[:12], tmp_path) == folder
    assert [find_run(f"-{back}", tmp_path) for back in (3, 2, 1)] == folders


@pytest.mark.parametrize("uid", ["zzz", "", "-3", "-0", "-x"])
def test_what_names_no_run_is_refused(tmp_path, uid):
    journalled(tmp_path, spectrum_run(0))
    journalled(tmp_path, spectrum_run(0))
    with pytest.raises(ValueError, match=r"no run"):
        find_run(uid, tmp_path)


def test_an_ambiguous_beginning_is_refused(tmp_path):
    for name in ("abc1", "abc2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "documents.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match="2 runs"):
        find_run("abc", tmp_path)
