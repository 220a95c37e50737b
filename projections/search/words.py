"""The words of a text, in any language: without regard to case and accents.

Languages that are written without spaces are searched by pairs of neighbouring characters, and Korean too, whose endings are
written together with the word. RE2 takes time in proportion to the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import re2

_ANALYSED_CHARACTERS: Final = 200_000
_WORD_CHARACTERS: Final = 100
_WORD: Final[Any] = re2.compile(r"[\p{L}\p{M}\p{N}_]+")
_ASCII_WORD: Final = re.compile(r"\w+", re.ASCII)
_ASTRAL: Final = 0x10000
_DENSE: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_RUN: Final[Any] = re2.compile(f"[{_DENSE}]+|[^{_DENSE}]+")
_IS_DENSE: Final[Any] = re2.compile(f"[{_DENSE}]")
# In other scripts a mark makes another letter of it, as a vowel sign does in Hindi.
_ACCENTED: Final[Any] = re2.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{Mn}+")
_UNDECOMPOSED: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


@cache
def _separated() -> str:
    """Return the table for `str.translate` that has a space for each character below U+10000 that is in no word."""
    table = [" "] * _ASTRAL
    for start, end in ((0, 0xD800), (0xE000, _ASTRAL)):  # without surrogates
        for word in _WORD.findall("".join(map(chr, range(start, end)))):
            first = ord(word[0])
            table[first : first + len(word)] = word
    return "".join(table)


def folded(text: str) -> str:
    """Return the text without differences of case, of accents and of width."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    without_accents: str = _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", decomposed))
    return unicodedata.normalize("NFC", without_accents).translate(_UNDECOMPOSED)


def words(text: str) -> tuple[str, ...]:
    """Return the words to find a text by, each once: of what is written without spaces, characters and pairs of them.

    Of a longer text the first 200,000 characters count, of a longer word the first 100.
    """
    return tuple(dict.fromkeys(_words(text, with_characters=True)))


def searched_words(text: str) -> tuple[str, ...]:
    """Return the words that a text has to have, each once, for this query to find it."""
    return tuple(dict.fromkeys(_words(text, with_characters=False)))


def _words(text: str, *, with_characters: bool) -> Iterator[str]:
    analysed = folded(text[:_ANALYSED_CHARACTERS])
    if analysed.isascii():
        yield from (word[:_WORD_CHARACTERS] for word in _ASCII_WORD.findall(analysed))
        return
    has_dense = _IS_DENSE.search(analysed) is not None
    # A query is short, and the table would take as long as a hundred of them.
    for word in _in_any_script(analysed) if with_characters else _WORD.findall(analysed):
        if not has_dense or word.isascii():
            yield word[:_WORD_CHARACTERS]
            continue
        for run in _RUN.findall(word):
            if not _IS_DENSE.match(run):
                yield run[:_WORD_CHARACTERS]
                continue
            if with_characters or len(run) == 1:
                yield from run
            yield from (run[at : at + 2] for at in range(len(run) - 1))


def _in_any_script(text: str) -> list[str]:
    """Return the words as `_WORD` finds them; mostly in a twentieth of the time, as RE2's binding makes a match of each in
    Python.
    """
    if len(text.encode("utf-16-le")) == 2 * len(text):
        return text.translate(_separated()).split()
    found: list[str] = _WORD.findall(text)
    return found
