"""What all wire models share, and the few models that several node types use."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, Strict, model_validator
from pydantic import Field as Described
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from headrace.plan.types import Field, Type, parse_type

Whole = Annotated[int, Strict()]
"""A whole number as JSON has it: neither `"5"` nor `5.0` nor `true`."""

Flag = Annotated[bool, Strict()]
"""true or false, and nothing that only looks like it."""

ColumnName = Annotated[str, Described(min_length=1, max_length=255)]


class Wire(BaseModel):
    """A JSON object of the vendor's API: camelCase outside, snake_case inside; what we do not know is kept."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", frozen=True)


@dataclass(frozen=True, slots=True)
class Widget:
    """How a form shows a field: the kind of input and its label. It travels in the JSON Schema as `x-widget`."""

    kind: Literal["text", "select", "number", "switch", "column", "columns", "fields", "conditions", "list"]
    label: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "title": self.label, "x-widget": self.kind}


@dataclass(frozen=True, slots=True)
class Fillable:
    """A text in which `${name}` is replaced by a parameter: any literal, or only one part of a path (`segment`)."""

    kind: Literal["literal", "segment"] = "literal"


class FieldSpec(Wire):
    """A column as it stands on the wire: `properties` holds the sub-fields of an array, map or struct."""

    name: Annotated[ColumnName, Described(description="The column's name; case does not tell two columns apart.")]
    type: Annotated[str, Described(description="The column's type, like `bigint` or `decimal(10,2)`.")]
    properties: Annotated[
        tuple["FieldSpec", ...],
        Described(description="The element of an array, the key and value of a map, the fields of a struct."),
    ] = ()

    @model_validator(mode="after")
    def _names_a_type(self) -> "FieldSpec":
        self.plan_type()
        return self

    def plan_type(self) -> Type:
        """The type that it names. Raises ValueError with the names that exist."""
        return parse_type(self.type, tuple(p.field() for p in self.properties))

    def field(self) -> Field:
        """The column as the plan has it."""
        return Field(self.name, self.plan_type())
