import pytest

from headrace.plan.types import (
    BIGINT,
    INT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_TZ,
    Array,
    Characters,
    Decimal,
    Field,
    Map,
    Schema,
    Struct,
    Type,
    parse_type,
    repeated,
)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("string", STRING),
        ("BigInt", BIGINT),
        (" Int ", INT),
        ("integer", INT),
        ("Datetime", TIMESTAMP),
        ("TimestampWithTimeZone", TIMESTAMP_TZ),
        ("timestamp with time zone", TIMESTAMP_TZ),
        ("decimal", Decimal(10, 0)),
        ("decimal(5)", Decimal(5, 0)),
        ("Decimal ( 38 , 38 )", Decimal(38, 38)),
        ("char(3)", Characters("char", 3)),
        ("VARCHAR(20)", Characters("varchar", 20)),
        ("varchar", STRING),
    ],
)
def test_a_type_is_read_in_any_case_and_spelling(text: str, type_: Type) -> None:
    assert parse_type(text) == type_


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("strin", "'strin' is not a type; one of void, boolean"),
        ("int(5)", "int takes no arguments, so 'int(5)' is not a type"),
        ("decimal(39,0)", "decimal(39,0): precision is 1 to 38, scale 0 to the precision"),
        ("decimal(0)", "decimal(0,0): precision is 1 to 38, scale 0 to the precision"),
        ("decimal(3,4)", "decimal(3,4): precision is 1 to 38, scale 0 to the precision"),
        ("char(0)", "char(0): the length is at least 1"),
        ("char(1,2)", "char takes one length"),
        ("decimal(", "'decimal(' is not a type; one of void"),
        ("uniontype", "uniontype has no counterpart in Spark; use a struct"),
        ("array", "array needs one entry, its element, in properties; it has 0"),
        ("map", "map needs two entries, key and value, in properties; it has 0"),
        ("struct", "struct needs its fields, in properties; it has 0"),
    ],
)
def test_what_is_no_type_is_told_with_what_would_be(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_type(text)
    assert str(caught.value).startswith(says)


def test_nested_types_take_their_parts_from_properties() -> None:
    key, value = Field("key", STRING), Field("value", Decimal(4, 2))
    assert parse_type("array", (value,)) == Array(Decimal(4, 2))
    assert parse_type("map", (key, value)) == Map(STRING, Decimal(4, 2))
    assert parse_type("struct", (key, value)) == Struct((key, value))
    with pytest.raises(ValueError, match="struct names 'KEY' twice"):
        parse_type("struct", (key, Field("KEY", INT)))


@pytest.mark.parametrize(
    "text", ["bigint", "decimal(5,2)", "varchar(7)", "array<int>", "map<string,decimal(4,2)>", "struct<a:int,b:date>"]
)
def test_a_type_is_shown_as_it_is_written(text: str) -> None:
    parts = {
        "array<int>": ("array", (Field("e", INT),)),
        "map<string,decimal(4,2)>": ("map", (Field("k", STRING), Field("v", Decimal(4, 2)))),
        "struct<a:int,b:date>": ("struct", (Field("a", INT), Field("b", parse_type("date")))),
    }
    name, properties = parts.get(text, (text, ()))
    assert str(parse_type(name, properties)) == text


def test_columns_are_found_in_any_case_and_keep_their_own() -> None:
    schema = Schema((Field("Id", BIGINT), Field("이름", STRING)))
    assert schema.find("ID") == Field("Id", BIGINT)
    assert schema.find("missing") is None
    assert schema["이름"].type == STRING
    assert schema.only(["이름", "iD"]).names == ("Id", "이름")
    assert (len(schema), [f.name for f in schema]) == (2, ["Id", "이름"])


def test_names_that_differ_only_by_case_are_repeated() -> None:
    assert repeated(["a", "b", "A", "c", "B", "a"]) == ["A", "B", "a"]
    assert repeated(["a", "b"]) == []
