"""The real engines that a server is connected with: the JSON file that PROCVARS_ENGINES names."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from procvars.api.settings import Settings, SettingsError

_NAME = r"^[A-Za-z0-9_.-]{1,64}$"


class EngineSettings(BaseModel):
    """One engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["camunda7"]
    url: HttpUrl
    """Of the REST API: `https://…/engine-rest`."""
    workspace: Annotated[str, Field(pattern=_NAME)]
    """Where its instances are shown."""
    user: str | None = None
    password_file: Path | None = None
    """Read with every connection; a line break at its end does not count."""
    definitions: list[str] | None = Field(default=None, min_length=1)
    """Keys of the process definitions whose instances are shown; unset: of all."""
    poll_seconds: float = Field(default=1.0, ge=0.05, le=3600)
    """Between two looks at the engine's history."""
    reconcile_seconds: float = Field(default=600.0, ge=1, le=7 * 86_400)
    """The time in which every instance is compared with the engine once."""

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, url: HttpUrl) -> HttpUrl:
        if url.username or url.password:
            raise ValueError("user and password go into user and password_file")
        return url

    @model_validator(mode="after")
    def _login_is_whole(self) -> "EngineSettings":
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file go together")
        return self

    def password(self) -> str:
        """Read the password. Raises InvalidEngines."""
        assert self.password_file is not None
        try:
            return self.password_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidEngines(f"the password file {self.password_file} cannot be read: {_reason(error)}") from error


class InvalidEngines(SettingsError):
    """The file of PROCVARS_ENGINES cannot be used."""

    def __init__(self, what: str) -> None:
        super().__init__(f"PROCVARS_ENGINES: {what}")


_FILE: TypeAdapter[dict[str, EngineSettings]] = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], EngineSettings])


def engine_settings(settings: Settings) -> dict[str, EngineSettings]:
    """Return the engines by name; none where the setting is unset. Raises InvalidEngines."""
    if settings.engines is None:
        return {}
    try:
        engines = _FILE.validate_json(settings.engines.read_bytes())
    except OSError as error:
        raise InvalidEngines(f"the file {settings.engines} cannot be read: {_reason(error)}") from error
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        told = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in found)
        raise InvalidEngines(told) from None
    for engine in engines.values():
        if engine.password_file is not None:
            engine.password()
    return engines


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
