"""What was sent and what is wrong with it, in words: JSON values, and Pydantic's errors.

Whoever sends JSON reads these: they speak of strings, lists and whole numbers, and quote no more than fits a line.
"""

from typing import Any

from headrace.errors import Problem


def field_problem(detail: Any, node_id: int | None, name: object, place: str) -> Problem:
    """A Pydantic error in our words, with its path; `place` is where an object without an id stands."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    message, hint = _in_words(detail)
    return problem_at(node_id, name, path, message, hint, "bad-field", place)


_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def _in_words(detail: Any) -> tuple[str, str]:
    """What a Pydantic error says, and what would do."""
    given, limits = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing", ""
        case "literal_error":
            return f"{kind_of(given).removeprefix('the text ')} is not allowed", f"one of {limits['expected']}"
        case "too_short":
            return "is empty", "it needs at least one entry"
        case "too_long":
            return f"should have at most {limits['max_length']} entries, not {len(given)}", ""
        case "greater_than_equal":
            return f"should be {limits['ge']} or more, not {kind_of(given)}", ""
        case "less_than_equal":
            return f"should be {limits['le']} or less, not {kind_of(given)}", ""
        case "string_too_short" if not given:
            return "is empty", ""
        case "string_too_short":
            return f"should have at least {_characters(limits['min_length'])}, not {len(given)}", ""
        case "string_too_long":
            return f"should have at most {_characters(limits['max_length'])}, not {len(given)}", ""
        case "value_error":
            return str(detail["msg"]).removeprefix("Value error, "), ""
        case kind if kind in _WANTED:
            return f"should be {_WANTED[kind]}, not {kind_of(given)}", ""
        case _:
            message = str(detail["msg"])
            return f"{message[:1].lower()}{message[1:]}, not {kind_of(given)}", ""


def _characters(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"


def problem_at(
    node_id: int | None, name: object, field: str, message: str, hint: str, code: str, place: str
) -> Problem:
    """A problem of a node, or of the object at `place` when the node has no id to be named by."""
    if node_id is None:
        return Problem(code, message, hint, field=f"{place}.{field}" if place and field else place or field)
    return Problem(code, message, hint, node_id, name if isinstance(name, str) else "", field)


def kind_of(value: object) -> str:
    """A JSON value in a few words, as messages name what was sent."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {str(value)[:40]}"
        case str():
            return f"the text {value[:40]!r}"
        case list() | tuple():
            return "an empty list" if not value else "a list"
        case _:
            return "an object"
