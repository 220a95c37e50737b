"""Secrets from files, as Kubernetes and Docker mount them: PROCVARS_JWT_SECRET_FILE instead of PROCVARS_JWT_SECRET."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

_MOST_BYTES = 64 * 1024


class SecretFileError(ValueError):
    """The file of a secret cannot be used."""


class SecretFiles(PydanticBaseSettingsSource):
    """Settings source: for each of the names, the text of the file that the variable with the suffix _FILE names."""

    def __init__(self, settings: type[BaseSettings], names: Iterable[str], environment: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._names = tuple(names)
        self._environment = environment

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the text, without the line break at its end, or None where no file is named. Raises SecretFileError."""
        variable = f"{self.config['env_prefix']}{field_name}".upper()
        path = self._environment.get(f"{variable}_FILE")
        if not path:
            return None, field_name, False
        if self._environment.get(variable):
            raise SecretFileError(f"either {variable} or {variable}_FILE, not both")
        try:
            with Path(path).open("rb") as file:
                text = file.read(_MOST_BYTES + 1)
            if len(text) > _MOST_BYTES:
                raise SecretFileError(f"{variable}_FILE: the file has more than {_MOST_BYTES} bytes")
            return text.decode().rstrip("\r\n"), field_name, False
        except OSError as error:
            raise SecretFileError(f"{variable}_FILE: {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretFileError(f"{variable}_FILE: {path} is not a text in UTF-8") from None

    def __call__(self) -> dict[str, Any]:
        """Return the settings whose files are named."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in self._names}
        return {name: text for name, text in found.items() if text is not None}
