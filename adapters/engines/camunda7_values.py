"""Variables as the REST API of Camunda 7 has them, read as `EngineVariable` and written from it."""

from datetime import UTC
from typing import Any

from procvars.domain.documents.documents import depth, encode, parse
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.values import MAX_DEPTH, Json
from procvars.domain.engine_values import DATE, EDITABLE, JSON, NULL, EngineVariable, moment

MALFORMED_JSON = "Json (malformed)"
"""The type of a Json variable whose text is not JSON, or not JSON that can be kept exactly: it is shown as the text."""


def variable_from(sent: dict[str, Any]) -> EngineVariable:
    """Read a variable of an answer whose values were not deserialized."""
    kind, value = str(sent["type"]), sent.get("value")
    if kind == JSON:
        return _json(value)
    if kind in EDITABLE:
        return EngineVariable(kind, value)
    return EngineVariable(kind, _shown(kind, value, sent.get("valueInfo") or {}))


def value_to_send(variable: EngineVariable) -> dict[str, Json]:
    """Return a variable of an editable type as the API takes it."""
    value = variable.value
    if variable.type == NULL or value is None:
        return {"type": variable.type, "value": None}
    if variable.type == JSON:
        return {"type": JSON, "value": encode(value).decode()}
    if variable.type == DATE and (instant := moment(str(value))) is not None:
        in_utc = instant.astimezone(UTC)
        return {"type": DATE, "value": f"{in_utc:%Y-%m-%dT%H:%M:%S}.{in_utc.microsecond // 1000:03}+0000"}
    return {"type": variable.type, "value": value}


def _json(text: Any) -> EngineVariable:
    if text is None:
        return EngineVariable(JSON, None)
    try:
        value = parse(str(text).encode())
    except (DocumentError, UnicodeEncodeError):
        return EngineVariable(MALFORMED_JSON, text)
    if depth(value) >= MAX_DEPTH:  # the document has one level more
        return EngineVariable(MALFORMED_JSON, text)
    return EngineVariable(JSON, value)


def _shown(kind: str, value: Json, info: dict[str, Json]) -> Json:
    """Return what a document shows of a variable that nobody edits here: its type, what it is, its serialized text."""
    shown: dict[str, Json] = {"type": kind, **info}
    if value is not None:
        shown["value"] = value
    return shown
