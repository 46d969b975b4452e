"""The page of what `properties_json` holds in jobs of NexusOne's dialect."""

from collections.abc import Iterator
from typing import Any

from headrace.api.nx1.contract import properties
from headrace.api.nx1.models import PROPERTIES
from tools.reference.markdown import as_json, code, generated, inline, table

_FIELD = ("key", "form", "default", "meaning")
_REF = "#/components/schemas/"


def page() -> str:
    """Each type of job with its keys, the objects inside, and examples."""
    schemas = properties()
    kinds = {kind.__name__: job_type for job_type, kind in PROPERTIES.items()}
    inside = [name for name in schemas if name not in kinds]
    return generated(
        "properties_json",
        "In a job of NexusOne's dialect `properties_json` is a JSON object as a text. What it holds depends on the "
        "type of the job; a key that is not listed here is refused. [How to fill tables](../how-to/nexusone.md) "
        "explains it; the server has the same as JSON Schema, in `components.schemas` of `/docs/nexusone.json`.",
        *(f"## {kinds[name]}\n\n{_object(schemas[name])}" for name in kinds),
        "## Objects",
        *(f"### {name}\n\n{_object(schemas[name])}" for name in inside),
        source="headrace.api.nx1.models",
    )


def _object(schema: dict[str, Any]) -> str:
    parts = [schema.get("description", ""), table(_FIELD, _rows(schema))]
    parts += [code(as_json(example), "json") for example in schema.get("examples", ())]
    return "\n\n".join(part for part in parts if part)


def _rows(schema: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        default = "needed" if name in required else _default(field.get("default"))
        yield f"`{name}`", _form(field), default, field.get("description", "")


def _default(value: object) -> str:
    return "" if value in (None, [], {}) or isinstance(value, dict) else inline(str(value))


def _form(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].removeprefix(_REF)
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_form(each) for each in field["anyOf"] if each.get("type") != "null")
    if "enum" in field:
        return " or ".join(inline(word) for word in field["enum"])
    if field.get("type") == "array":
        return f"list of {_form(field['items'])}"
    return str(field.get("type", "any"))
