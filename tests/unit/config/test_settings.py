import pytest

from daisy_bluesky.config import load_settings


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_environment_wins_over_the_file_and_arguments_over_both(tmp_path, monkeypatch):
    (tmp_path / "daisy.toml").write_text("seed = 3\n[beam]\ncurrent = 20.0\nmax_pixel_dose = 500.0\n")
    monkeypatch.setenv("DAISY_BEAM__CURRENT", "30")
    settings = load_settings(seed=5)
    assert (settings.seed, settings.beam.current, settings.beam.max_pixel_dose) == (5, 30.0, 500.0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[beam]\ncurent = 20.0\n", "beam.curent"),
        ("[beam]\ncurrent = -1.0\n", "beam.current"),
        ("instrument = 'imaginary'\n", "instrument"),
        ("shape = [0, 0]\n", r"shape\.0"),
        ("shape = [64, 1]\n", r"shape\.1"),
    ],
)
def test_a_fault_in_the_file_is_one_line_that_names_the_setting(tmp_path, text, named):
    (tmp_path / "daisy.toml").write_text(text)
    with pytest.raises(ValueError, match=named) as fault:
        load_settings()
    assert "\n" not in str(fault.value)
    assert "daisy.toml" in str(fault.value)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "daisy.toml").write_text("seed = = 3\n")
    with pytest.raises(ValueError, match=r"daisy\.toml"):
        load_settings()


def test_a_misspelt_variable_is_refused(monkeypatch):
    monkeypatch.setenv("DAISY_BAEM__CURRENT", "1")
    with pytest.raises(ValueError, match="DAISY_BAEM__CURRENT"):
        load_settings()


def test_a_named_file_must_exist(monkeypatch):
    monkeypatch.setenv("DAISY_CONFIG", "elsewhere.toml")
    with pytest.raises(ValueError, match=r"elsewhere\.toml"):
        load_settings()


def test_the_smallest_specimen_is_two_by_two(tmp_path):
    (tmp_path / "daisy.toml").write_text("shape = [2, 2]\n")
    assert load_settings().shape == (2, 2)
