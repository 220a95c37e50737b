"""The words of a text, in any language: without regard to case and accents.

Languages that are written without spaces are searched by pairs of neighbouring characters, and Korean too, whose endings are
written together with the word. RE2 takes time in proportion to the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import re2

_ANALYSED_CHARACTERS: Final = 200_000
_WORD_CHARACTERS: Final = 100
_WORD: Final[Any] = re2.compile(r"[\p{L}\p{M}\p{N}_]+")
# The same for ASCII, in a thirtieth of the time: RE2's binding makes a match of each word in Python.
_ASCII_WORD: Final = re.compile(r"\w+", re.ASCII)
_DENSE: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_RUN: Final[Any] = re2.compile(f"[{_DENSE}]+|[^{_DENSE}]+")
_IS_DENSE: Final[Any] = re2.compile(f"[{_DENSE}]")
# In other scripts a mark makes another letter of it, as a vowel sign does in Hindi.
_ACCENTED: Final[Any] = re2.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{Mn}+")
_UNDECOMPOSED: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


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
    for word in _WORD.findall(analysed):
        if word.isascii():
            yield word[:_WORD_CHARACTERS]
            continue
        for run in _RUN.findall(word):
            if not _IS_DENSE.match(run):
                yield run[:_WORD_CHARACTERS]
                continue
            if with_characters or len(run) == 1:
                yield from run
            yield from (run[at : at + 2] for at in range(len(run) - 1))
