"""The syntax of JSONPath as RFC 9535 has it: python-jsonpath's parser without what it allows beyond, and with all of Unicode."""

import json
import re
from typing import Final

import jsonpath
from jsonpath import JSONPathSyntaxError
from jsonpath.filter import BaseExpression, FilterExpressionLiteral
from jsonpath.lex import Lexer
from jsonpath.parse import Parser
from jsonpath.stream import TokenStream
from jsonpath.token import (
    TOKEN_EQ,
    TOKEN_FUNCTION,
    TOKEN_GE,
    TOKEN_GT,
    TOKEN_LE,
    TOKEN_LPAREN,
    TOKEN_LT,
    TOKEN_NE,
    TOKEN_ROOT,
    TOKEN_SELF,
    TOKEN_SINGLE_QUOTE_STRING,
    TOKEN_WHITESPACE,
    Token,
)

from procvars.domain.documents.numbers import Number, fraction, integer

_COMPARISONS: Final = frozenset((TOKEN_EQ, TOKEN_NE, TOKEN_LT, TOKEN_LE, TOKEN_GT, TOKEN_GE))
_NEGATED: Final = frozenset((TOKEN_LPAREN, TOKEN_ROOT, TOKEN_SELF, TOKEN_FUNCTION))
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<other>\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)?")
_CHARACTERS: Final = {
    quote: re.compile(rf"(?:[^\\\x00-\x1f]|\\(?:[bfnrt/\\{quote}]|u[0-9A-Fa-f]{{4}}))*") for quote in "'\""
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED_OR_QUOTE: Final = re.compile(r"\\.|\"")


class _Lexer(Lexer):
    key_pattern = "[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][A-Za-z0-9_\u0080-\ud7ff\ue000-\U0010ffff]*"


class _Parser(Parser):
    def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
        """Return the number exactly, whatever its size."""
        return _number(stream.next())

    def parse_float_literal(self, stream: TokenStream) -> BaseExpression:
        """Return the number exactly, whatever its size."""
        return _number(stream.next())

    def parse_prefix_expression(self, stream: TokenStream) -> BaseExpression:
        """Return the negation of a test: neither a literal nor another negation is one."""
        if _kind(stream, 1) not in _NEGATED:
            raise JSONPathSyntaxError("only a test can be negated", token=stream.current())
        return super().parse_prefix_expression(stream)

    def parse_grouped_expression(self, stream: TokenStream) -> BaseExpression:
        """Return what stands in parentheses, which is compared with nothing."""
        found = super().parse_grouped_expression(stream)
        if _kind(stream, 0) in _COMPARISONS:
            raise JSONPathSyntaxError("parentheses are no value", token=stream.current())
        return found

    def parse_infix_expression(self, stream: TokenStream, left: BaseExpression) -> BaseExpression:
        """Return a comparison, or a logical expression."""
        if _kind(stream, 0) in _COMPARISONS and _kind(stream, 1) == TOKEN_LPAREN:
            raise JSONPathSyntaxError("parentheses are no value", token=stream.current())
        return super().parse_infix_expression(stream, left)

    def _decode_string_literal(self, token: Token) -> str:
        quote = "'" if token.kind == TOKEN_SINGLE_QUOTE_STRING else '"'
        if _CHARACTERS[quote].fullmatch(token.value) is None:
            raise JSONPathSyntaxError("invalid character or escape sequence", token=token)
        # As JSON writes it: nothing is different but the quotes.
        text = _ESCAPED_OR_QUOTE.sub(lambda found: {'"': '\\"', "\\'": "'"}.get(found[0], found[0]), token.value)
        decoded = str(json.loads(f'"{text}"'))
        if _SURROGATE.search(decoded):
            raise JSONPathSyntaxError("half a surrogate pair", token=token)
        return decoded


class Environment(jsonpath.JSONPathEnvironment):
    """Parses JSONPath, strictly."""

    lexer_class = _Lexer
    parser_class = _Parser

    def __init__(self) -> None:
        super().__init__(strict=True)


def _kind(stream: TokenStream, offset: int) -> str:
    """Return the kind of the token there, or behind it where it is blank."""
    while stream.peek(offset).kind == TOKEN_WHITESPACE:
        offset += 1
    return stream.peek(offset).kind


def _number(token: Token) -> BaseExpression:
    found = _NUMBER.fullmatch(token.value)
    if found is None:
        raise JSONPathSyntaxError("invalid number", token=token)
    read = integer if found["other"] is None else fraction
    literal: FilterExpressionLiteral[int | float | Number] = FilterExpressionLiteral(value=read(token.value))
    return literal
