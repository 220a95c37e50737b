"""JSON Pointer (RFC 6901): the names of places in a document. `""` is the whole document, `/a/0` an element of `a`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from procvars.domain.documents.errors import InvalidPointer

if TYPE_CHECKING:
    from procvars.domain.documents.values import Json

# An index with more digits is outside of every array that fits into memory, and int() refuses very long ones.
_LONGEST_INDEX: Final = 18


def escape(token: str) -> str:
    """Return a reference token as written inside a pointer."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


def unescape(token: str) -> str:
    """Return the key that a written reference token stands for."""
    return token.replace("~1", "/").replace("~0", "~") if "~" in token else token


def join(tokens: Iterable[str | int]) -> str:
    """Return the pointer that leads through these keys and array indices."""
    return "".join(f"/{escape(str(token))}" for token in tokens)


def split(pointer: str) -> list[str]:
    """Return a pointer's keys and indices, unescaped.

    Raises InvalidPointer if the pointer neither is empty nor starts with a slash, or a `~` is not followed by 0 or 1.
    """
    if not pointer:
        return []
    if pointer[0] != "/":
        raise InvalidPointer(pointer, "it has to be empty or start with a slash")
    tokens = pointer[1:].split("/")
    if "~" in pointer:
        if pointer.count("~") != pointer.count("~0") + pointer.count("~1"):
            raise InvalidPointer(pointer, "~ is written ~0 and / inside a key ~1")
        return [unescape(token) for token in tokens]
    return tokens


def index(token: str, length: int) -> int:
    """Return the array index that a token names in an array of `length` elements.

    Raises LookupError if the token is no index (RFC 6901: digits without leading zeros) or is outside the array.
    """
    if not (token.isascii() and token.isdigit()) or (token[0] == "0" and token != "0"):
        raise LookupError(f'"{token}" is not an array index')
    if len(token) > _LONGEST_INDEX or int(token) >= length:
        raise LookupError(f"index {token} is outside of an array of {length}")
    return int(token)


def resolve(value: "Json", tokens: Sequence[str]) -> "Json":
    """Return the value at a place. Raises LookupError if there is none."""
    for token in tokens:
        value = member(value, token)
    return value


def member(value: "Json", token: str) -> "Json":
    """Return the member or element of a value that a token names. Raises LookupError if there is none."""
    if isinstance(value, dict):
        if token not in value:
            raise LookupError(f'there is no member "{token}"')
        return value[token]
    if isinstance(value, list):
        return value[index(token, len(value))]
    raise LookupError(f'a value without members stands where "{token}" is looked for')
