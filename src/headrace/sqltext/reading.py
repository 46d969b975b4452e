"""Reads Spark SQL into a syntax tree, and refuses what is too large or ambiguous before anything looks at it.

The parser is sqlglot's, told to leave functions as they are called: what it knows about them is not Spark's.
"""

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.spark import SparkParser
from sqlglot.tokenizer_core import Token, TokenType

from headrace.sqltext.faults import Place, SqlFault, SqlInvalid, place_at

MOST_CHARACTERS = 100_000
MOST_TOKENS = 20_000
DEEPEST_BRACKETS = 50
DEEPEST_TREE = 80
_KEPT = ("CAST", "TRY_CAST")
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
_CHAINS = (exp.And, exp.Or, exp.Union)
_CLAUSES = (TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.WHERE, TokenType.HAVING, TokenType.FROM)
_OPENING = (TokenType.COMMA, TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.SELECT, *_CLAUSES)
_CLOSING = (TokenType.COMMA, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.SEMICOLON, *_CLAUSES)


def _trim(parser: Any) -> exp.Expr:
    """trim(text) and trim(signs FROM text). With a comma between, Spark and others take them the other way round."""
    start = parser._index
    made: exp.Expr = parser._parse_trim()
    depth = 0
    for token in parser._tokens[start : parser._index]:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.COMMA and depth == 0:
            parser.raise_error("trim takes one text, or signs FROM text", token)
    return made


class _Parser(SparkParser):
    FUNCTIONS: ClassVar = {}
    FUNCTION_PARSERS: ClassVar = {**{name: SparkParser.FUNCTION_PARSERS[name] for name in _KEPT}, "TRIM": _trim}
    STRICT_CAST = True


class SparkText(Spark):
    """Spark's grammar, with every function but CAST, TRY_CAST, TRIM and IF as it stands in the text."""

    Parser = _Parser


def read(text: str) -> exp.Expr:
    """The syntax tree of the one statement of a text. Raises SqlInvalid."""
    if len(text) > MOST_CHARACTERS:
        raise _invalid(text, 0, f"the text has {len(text):,} characters, the most is {MOST_CHARACTERS:,}")
    tokens = _tokens(text)
    _check_size(text, tokens)
    _check_commas(text, tokens)
    for token in tokens:
        if token.token_type == TokenType.STRING:
            _check_text(text, token)
        if token.token_type == TokenType.PIPE_GT:
            raise _invalid(text, token.start, "|> is not on the list of what a query may have", "use WITH")
    try:
        statements = SparkText().parser().parse(tokens, text)
    except ParseError as error:
        raise _parse_fault(error) from None
    except RecursionError:
        raise _invalid(text, 0, "the query is nested too deeply", "take it apart with WITH") from None
    found = [statement for statement in statements if statement is not None]
    if len(found) != 1:
        raise _several(text, tokens, len(found))
    _check_depth(text, found[0])
    return found[0]


def place_of(text: str, node: exp.Expr, *within: exp.Expr) -> Place:
    """Where a node stands: its own place, or that of the first part of it, or of what it stands in."""
    for candidate in (node, *within):
        starts = [n.meta["start"] for n in candidate.walk() if "start" in n.meta]
        if starts:
            return place_at(text, min(starts))
    return Place(1, 1)


def _invalid(text: str, offset: int, message: str, hint: str = "") -> SqlInvalid:
    return SqlInvalid([SqlFault(message, place_at(text, offset), hint)])


def _tokens(text: str) -> list[Token]:
    try:
        tokens = SparkText().tokenize(text)
    except TokenError as error:
        raise _invalid(text, 0, f"can't be read: {_first_line(error)}", "is a quote or a comment left open?") from None
    quoted = {at for t in tokens if t.token_type == TokenType.STRING for at in range(t.start, t.end + 1)}
    for offset, sign in enumerate(text):
        control = sign < " " or sign == "\x7f"
        if sign not in "\t\r\n" and (control or not (sign.isprintable() or offset in quoted)):
            raise _invalid(text, offset, f"the character U+{ord(sign):04X} can't stand in SQL", "remove it")
    return tokens


def _check_size(text: str, tokens: list[Token]) -> None:
    if len(tokens) > MOST_TOKENS:
        raise _invalid(text, 0, f"the text has {len(tokens):,} words and signs, the most is {MOST_TOKENS:,}")
    depth = 0
    for token in tokens:
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        if depth > DEEPEST_BRACKETS:
            raise _invalid(
                text, token.start, f"brackets stand more than {DEEPEST_BRACKETS} deep", "take it apart with WITH"
            )


def _check_commas(text: str, tokens: list[Token]) -> None:
    """A comma stands between two things: the parser would pass over one that does not, and Spark refuses it."""
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.token_type != TokenType.COMMA:
            continue
        lacks_before = before is None or before.token_type in _OPENING
        if lacks_before or after is None or after.token_type in _CLOSING:
            where = "before" if lacks_before else "behind"
            raise _invalid(text, token.start, f"nothing stands {where} this comma", "remove it")


def _check_text(text: str, token: Token) -> None:
    """A text literal must mean to Spark what it was read as."""
    raw = text[token.start : token.end + 1]
    if len(raw) < 2 or raw[0] not in "'\"" or raw[-1] != raw[0] or _unescaped(raw[1:-1], raw[0]) != token.text:
        raise _invalid(
            text, token.start, f"the text {raw[:40]} could be read in two ways",
            "of the escapes use \\\\, \\', \\n, \\t, \\r alone; a quote may also be doubled",
        )  # fmt: skip


def _unescaped(raw: str, quote: str) -> str:
    """What Spark reads between the quotes; a code (`\\u0041`, `\\101`) gives nothing that compares equal."""
    made, at = "", 0
    while at < len(raw):
        sign = raw[at]
        if sign == "\\" and at + 1 < len(raw):
            after = raw[at + 1]
            if after in "uU" or raw[at + 1 : at + 4].isdigit():
                return "\0\0"
            made, at = made + _ESCAPES.get(after, after), at + 2
        elif sign == quote:
            made, at = made + quote, at + 2
        else:
            made, at = made + sign, at + 1
    return made


def _several(text: str, tokens: list[Token], count: int) -> SqlInvalid:
    if not count:
        return _invalid(text, 0, "there is no query", "write a SELECT over the aliases of the parents")
    second = next((t.end + 1 for t in tokens if t.token_type == TokenType.SEMICOLON), 0)
    return _invalid(text, second, "there is more than one statement", "keep one query; a WITH can hold the others")


def _parse_fault(error: ParseError) -> SqlInvalid:
    told = error.errors[0] if error.errors else {}
    message = str(told.get("description") or _first_line(error)).rstrip(".")
    line, column, near = told.get("line") or 1, told.get("col") or 1, str(told.get("highlight") or "")[:40]
    start = max(int(column) - len(near) + 1, 1)
    told_of_parser = "<class" in message  # which is nothing to a user
    message = "something is missing behind it" if told_of_parser else f"{message[0].lower()}{message[1:]}"
    shown = f"can't be read at {near!r}: {message}"
    return SqlInvalid([SqlFault(shown, Place(int(line), start), "one query in Spark SQL: SELECT … FROM …")])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _check_depth(text: str, root: exp.Expr) -> None:
    """No part of the tree stands too deep; a chain of AND, OR or UNION counts once."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST_TREE:
            place = place_of(text, node)
            raise SqlInvalid([SqlFault("the expression is nested too deeply", place, "take it apart with WITH")])
        for child in node.iter_expressions():
            chained = type(child) is type(node) and isinstance(child, _CHAINS)
            waiting.append((child, depth if chained else depth + 1))
