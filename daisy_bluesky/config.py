"""Settings: one typed file, environment variables above it, nothing unknown accepted."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

DEFAULT_FILE = "daisy.toml"
_Side = Annotated[int, Field(ge=2)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BeamSettings(_Section):
    """The electron beam and what it may do to a specimen."""

    current: float = Field(500.0, gt=0, description="beam current, pA")
    max_pixel_dose: float | None = Field(None, gt=0, description="limit per pixel, e-/A^2")
    max_charge: float | None = Field(None, gt=0, description="limit of the whole session, pC")


class ProbeSettings(_Section):
    """The probe positioner."""

    settle_time: float = Field(0.0005, ge=0, description="settling after a move, s")


class DetectorSettings(_Section):
    """One detector."""

    dwell_time: float = Field(0.01, gt=0, description="integration per visit, s")


class JournalSettings(_Section):
    """How runs reach the disk."""

    sync_interval: float = Field(0.5, gt=0, description="longest time between fsyncs, s")
    upload_batch: int = Field(500, ge=1, description="events per batch sent to tiled")


class ServerSettings(_Section):
    """The tiled server that `daisy-bluesky serve` starts."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    api_key: str | None = Field(None, min_length=8, description="generated and printed when absent")


class Settings(BaseSettings):
    """Everything that can be set, from `daisy.toml` and from environment variables ``DAISY_<SECTION>__<NAME>``.

    The file is ``daisy.toml`` in the working directory, or the one that ``DAISY_CONFIG`` names. A variable wins.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="DAISY_", env_nested_delimiter="__", env_ignore_empty=True
    )

    data: Path = Field(Path("daisy-data"), description="folder of journals, catalog and profiles")
    instrument: Literal["virtual", "recorded"] = "virtual"
    recording: Path | None = Field(None, description="spectrum image that plays the specimen of a recorded instrument")
    specimen: Literal["grains", "crystal", "particles"] = Field("grains", description="what lies under a virtual beam")
    seed: int = Field(0, ge=0, description="seed of the virtual specimen")
    shape: tuple[_Side, _Side] = Field((256, 256), description="field of the virtual specimen, (rows, columns)")
    real_time: bool = Field(False, description="let a virtual microscope take as long as a real one")
    beam: BeamSettings = BeamSettings()
    probe: ProbeSettings = ProbeSettings()
    haadf: DetectorSettings = DetectorSettings()
    eds: DetectorSettings = DetectorSettings()
    eels: DetectorSettings = DetectorSettings()
    journal: JournalSettings = JournalSettings()
    server: ServerSettings = ServerSettings()

    @property
    def journal_directory(self) -> Path:
        """Folder with one folder per run."""
        return self.data / "journal"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=configuration_file())


def configuration_file() -> Path:
    """Return the settings file: what ``DAISY_CONFIG`` names, or ``daisy.toml`` here (which need not exist)."""
    return Path(os.environ.get("DAISY_CONFIG", DEFAULT_FILE))


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Parameters
    ----------
    **overrides : object
        Values that win over the environment and the file.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        One line naming the setting, the value's fault and the file it may stand in.
    """
    named = os.environ.get("DAISY_CONFIG")
    if named and not Path(named).is_file():
        raise ValueError(f"DAISY_CONFIG names {named}, which is not a file; correct or unset it")
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        source = f"settings come from {configuration_file()} and DAISY_ variables"
        raise ValueError(f"setting {name}: {first['msg']} ({source})") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"{configuration_file()}: {error}") from None


def _refuse_unknown_variables() -> None:
    # a misspelt variable must not pass in silence: the limit it meant to set would not be there
    known = {f"DAISY_{name.upper()}" for name in Settings.model_fields} | {"DAISY_CONFIG", "DAISY_TRACEBACK"}
    for name in os.environ:
        if name.startswith("DAISY_") and name.split("__")[0] not in known:
            raise ValueError(f"environment variable {name} names no setting; known are {', '.join(sorted(known))}")
