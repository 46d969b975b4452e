"""How a text must look to be a value of a type, as regular expressions that every engine reads alike."""

# The same signs for every engine: what `\s` means differs from one library of regular expressions to the next.
_GAP = r"[ \t\n\r\f\x0B]*"
_YEAR = r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_HOUR, _SIXTY = r"([01][0-9]|2[0-3])", r"[0-5][0-9]"
_ZONE = rf"(Z|[+-](0[0-9]|1[0-7])(:?{_SIXTY})?|[+-]18(:?00)?)"
DATE_FORM = rf"{_GAP}{_DAY}{_GAP}"
BARE_TIMESTAMP_FORM = rf"{_DAY}([T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.[0-9]{{1,9}})?{_ZONE}?)?)?"
TIMESTAMP_FORM = rf"{_GAP}{BARE_TIMESTAMP_FORM}{_GAP}"
# Without an offset: the engine's plain cast is right, and faster than the one that knows zones.
UTC_TIMESTAMP_FORM = rf"{_DAY}[T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.[0-9]{{1,9}})?Z?)?"
INTEGER_FORM = rf"{_GAP}[+-]?[0-9]+{_GAP}"
NUMBER_FORM = rf"{_GAP}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{_GAP}"
DOUBLE_FORM = rf"(?i:{_GAP}([+-]?inf(inity)?|nan){_GAP})|{NUMBER_FORM}"
# Spelled out: to fold case would also take letters that are no Latin ones.
TRUE_FORM = rf"{_GAP}([tT]([rR][uU][eE])?|[yY]([eE][sS])?|1){_GAP}"
FALSE_FORM = rf"{_GAP}([fF]([aA][lL][sS][eE])?|[nN][oO]?|0){_GAP}"
BOOLEAN_FORM = rf"(?i:{_GAP}(true|t|yes|y|1|false|f|no|n|0){_GAP})"
# The moments that people write: a zone can carry one past the ends of the calendar.
FIRST, LAST = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
