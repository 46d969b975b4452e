"""Regular expressions that mean the same to Java and to RE2.

A pattern is read sign by sign, and written for either library. What one of them lacks, or means differently
(lookaround, back references, `\\b`, flags, classes inside classes), is refused. `$` is the end of the text, also when a
line break stands there; `.` is any sign but the line breaks.
"""

from dataclasses import dataclass

_CLASSES = "dDwWsS"
_CONTROLS = {"t": "\\t", "n": "\\n", "r": "\\r", "f": "\\f"}
_SPACE = r" \t\n\r\f\x0B"
_ANY = r"[^\n\r\x{85}\x{2028}\x{2029}]"
_MOST_REPEATS = 255
_DEEPEST = 20


class BadPattern(ValueError):
    """The pattern is wrong, or can't mean the same on every engine."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern for both libraries, how many groups it has, whether it matches empty text, whether ^ stands in it."""

    java: str
    re2: str
    groups: int
    empty: bool
    anchored: bool


def parse_pattern(text: str) -> Pattern:
    """The pattern of a text. Raises BadPattern."""
    if not text.isprintable() or len(text) > 1000:
        raise BadPattern("a pattern has at most 1000 signs, and control characters stand in it as \\t or \\n")
    reader = _Reader(text)
    java, re2, empty = reader.alternatives(0)
    if reader.at < len(text):
        raise BadPattern(f"')' at position {reader.at + 1} closes nothing")
    return Pattern(java, re2, reader.groups, empty, reader.anchored)


def replacement(text: str, groups: int) -> tuple[str, str]:
    """What stands for a match, for Java and for RE2: text, and `$1` for a group."""
    java, re2, at = "", "", 0
    while at < len(text):
        sign = text[at]
        if sign == "$":
            digit = text[at + 1 : at + 2]
            if not (digit and digit in "0123456789") or text[at + 2 : at + 3].isdigit():
                raise BadPattern("a $ in the replacement is followed by the one digit of a group")
            if int(digit) > groups:
                raise BadPattern(f"there is no group {digit}")
            java, re2, at = f"{java}${digit}", f"{re2}\\{digit}", at + 2
        elif sign == "\\":
            raise BadPattern("a replacement has no backslashes")
        else:
            java, re2, at = java + sign, re2 + sign, at + 1
    return java, re2


Part = tuple[str, str, bool]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.anchored = False

    def _sign(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        sign = self._sign()
        if not sign:
            raise BadPattern("the pattern ends too early")
        self.at += 1
        return sign

    def alternatives(self, depth: int) -> Part:
        if depth > _DEEPEST:
            raise BadPattern(f"groups stand more than {_DEEPEST} deep")
        found = [self._sequence(depth)]
        while self._sign() == "|":
            self.at += 1
            found.append(self._sequence(depth))
        return "|".join(p[0] for p in found), "|".join(p[1] for p in found), any(p[2] for p in found)

    def _sequence(self, depth: int) -> Part:
        java, re2, empty = "", "", True
        while self._sign() not in ("", "|", ")"):
            part = self._repeated(self._one(depth))
            java, re2, empty = java + part[0], re2 + part[1], empty and part[2]
        return java, re2, empty

    def _one(self, depth: int) -> Part:
        sign = self._take()
        match sign:
            case "(":
                return self._group(depth)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case ".":
                return r"[^\n\r\u0085\u2028\u2029]", _ANY, False
            case "^":
                self.anchored = True
                return "^", "^", True
            case "$":
                return r"\z", r"\z", True
            case "*" | "+" | "?" | "{":
                raise BadPattern(f"{sign!r} at position {self.at} repeats nothing")
            case "}" | "]":
                return f"\\{sign}", f"\\{sign}", False
            case _:
                return sign, sign, False

    def _group(self, depth: int) -> Part:
        head = "("
        if self._sign() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise BadPattern("of the groups that begin with (? only (?: …) is known to every engine")
            self.at += 2
            head = "(?:"
        else:
            self.groups += 1
        java, re2, empty = self.alternatives(depth + 1)
        if self._sign() != ")":
            raise BadPattern("a group is not closed")
        self.at += 1
        return f"{head}{java})", f"{head}{re2})", empty

    def _escape(self) -> Part:
        sign = self._take()
        if sign == "s":
            return f"[{_SPACE}]", f"[{_SPACE}]", False
        if sign == "S":
            return f"[^{_SPACE}]", f"[^{_SPACE}]", False
        if sign in _CLASSES:
            return f"\\{sign}", f"\\{sign}", False
        if sign in _CONTROLS:
            return _CONTROLS[sign], _CONTROLS[sign], False
        if sign.isalnum() or not sign.isascii():
            raise BadPattern(f"\\{sign} does not mean the same on every engine")
        return f"\\{sign}", f"\\{sign}", False

    def _class(self) -> Part:
        start, shown = self.at, "["
        if self._sign() == "^":
            self.at += 1
            shown += "^"
        first = True
        while (sign := self._take()) != "]" or first:
            if sign == "[" or (sign == "]" and first):
                raise BadPattern(f"write \\{sign} for a {sign} inside a class")
            if sign == "&" and self._sign() == "&":
                raise BadPattern("&& inside a class is not known to every engine")
            if sign == "^":
                sign = "\\^"
            elif sign == "\\":
                sign = self._class_escape()
            shown, first = shown + sign, False
        self._check_ranges(self.text[start : self.at - 1])
        return f"{shown}]", f"{shown}]", False

    def _class_escape(self) -> str:
        sign = self._take()
        if sign == "s":
            return _SPACE
        if sign in "dw" or sign in _CONTROLS:
            return f"\\{sign}"
        if sign.isalnum() or not sign.isascii():
            raise BadPattern(f"\\{sign} inside a class does not mean the same on every engine")
        return f"\\{sign}"

    def _check_ranges(self, inner: str) -> None:
        for at in range(1, len(inner) - 1):
            if inner[at] == "-" and inner[at - 1] != "\\":
                low, high = inner[at - 1], inner[at + 1]
                if not (low.isalnum() and high.isalnum() and low <= high) or (at > 1 and inner[at - 2] == "\\"):
                    raise BadPattern(f"{low}-{high} is not a range; write \\- for the sign itself")

    def _repeated(self, part: Part) -> Part:
        java, re2, empty = part
        sign = self._sign()
        if sign == "{":
            count, least = self._count()
        elif sign and sign in "*+?":
            self.at += 1
            count, least = sign, 1 if sign == "+" else 0
        else:
            return part
        if self._sign() == "?":
            self.at += 1
            count += "?"
        if (sign := self._sign()) and sign in "*+{?":
            raise BadPattern(f"{sign!r} after a repetition is not known to every engine")
        if empty:
            raise BadPattern("what is repeated must not match empty text")
        return java + count, re2 + count, least == 0

    def _count(self) -> tuple[str, int]:
        end = self.text.find("}", self.at)
        inner = self.text[self.at + 1 : end] if end > 0 else ""
        low, comma, high = inner.partition(",")
        if not (low.isdecimal() and low.isascii() and (not high or (high.isdecimal() and high.isascii()))):
            raise BadPattern("a count is {n}, {n,} or {n,m}; write \\{ for the sign itself")
        if max(int(low), int(high or 0)) > _MOST_REPEATS or (high and int(high) < int(low)):
            raise BadPattern(f"a count is at most {_MOST_REPEATS}, the first not above the second")
        self.at = end + 1
        return f"{{{low}{comma}{high}}}", int(low)
