"""Encrypt columns.

Each entry takes a column and the name of a key; the key itself stands in the setting `encryption_keys`, never in a job.
A value becomes a text: the Base64 of 12 random bytes, the ciphertext of its text in UTF-8, and a tag of 16 bytes, by
AES-256-GCM. A missing value stays missing. Equal values give different texts, so an encrypted column can't be joined,
grouped or merged by. This node type is Headrace's own. [How to decrypt](../../how-to/encrypt-columns.md).
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Example, Node, NodeError, Table, Widget, Wire, column, each, no_repeats
from headrace.plan.casts import castable, never_fails
from headrace.plan.expr import Cast, Column, Encrypted, Named
from headrace.plan.ops import Op, Project
from headrace.plan.types import STRING, Schema, fold

KEY_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"


class EncryptedField(Wire):
    """A column and the name of its key."""

    name: Annotated[str, Described(min_length=1, description="An existing column.")]
    key_name: Annotated[str, Described(pattern=KEY_NAME, description="The name of a key of the settings.")]


class EncryptNode(Node):
    """Encrypt columns with a named key."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="A missing value stays missing, and the column becomes text",
            given=(Table.of("id int, card bigint", (1, None)),),
            fields={"encryptFieldList": [{"name": "card", "keyName": "payments"}]},
            gives=Table.of("id int, card string", (1, None)),
        ),
    )

    type: Literal["TRANSFORM_ENCRYPT"] = "TRANSFORM_ENCRYPT"
    encrypt_field_list: Annotated[
        tuple[EncryptedField, ...],
        Described(min_length=1, description="The columns to encrypt."),
        Widget("list", "Columns"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection in which each named column is encrypted, in its place."""
        (parent,) = parents
        path = "encryptFieldList"
        sealed = dict(each(self.encrypt_field_list, lambda entry: _encrypted(entry, parent.schema), field=path))
        no_repeats((entry.name for entry in self.encrypt_field_list), field=path, hint="encrypt each column once")
        columns = tuple(sealed.get(fold(f.name)) or Named(f.name, Column(f.name, f.type)) for f in parent.schema)
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)


def _encrypted(entry: EncryptedField, schema: Schema) -> tuple[str, Named]:
    found = column(schema, entry.name, field="name")
    own = Column(found.name, found.type)
    if not castable(found.type, STRING) or not never_fails(found.type, STRING):
        hint = "choose a column of numbers, moments or texts"
        raise NodeError(f"{found.name!r} is {found.type}, which has no text", field="name", hint=hint)
    text = own if found.type == STRING else Cast(own, STRING)
    return fold(found.name), Named(found.name, Encrypted(text, entry.key_name))
