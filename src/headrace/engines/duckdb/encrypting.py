"""AES-GCM for the engine, which has none of its own: a function of Python over whole chunks of values."""

import base64
import os
from array import array
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb.func import PythonUDFType

from headrace.errors import NotSupported

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def add(con: duckdb.DuckDBPyConnection, keys: Mapping[str, bytes]) -> None:
    """Give the connection the function `encrypted(text, name of a key)`. Raises NotSupported without Arrow."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        import numpy  # noqa: F401  # by which the engine calls any function of Python
        import pyarrow
    except ModuleNotFoundError as error:
        hint = "install headrace[encrypt]"
        raise NotSupported(f"encrypting needs the package {error.name}, which is not installed", hint=hint) from None
    ciphers = {name: AESGCM(key) for name, key in keys.items()}

    def encrypted(texts: Any, names: Any) -> Any:  # columns of Arrow, which has no types for mypy
        # The engine leaves missing values out, so there may be none.
        cipher = ciphers[names[0].as_py()] if len(names) else None
        sealed = [_sealed(cipher, text) for text in texts.to_pylist()] if cipher else []
        # From buffers: `pyarrow.array` would look for pandas, which a child process has marked as absent.
        ends = array("i", accumulate(map(len, sealed), initial=0))
        buffers = [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(b"".join(sealed))]
        return pyarrow.Array.from_buffers(pyarrow.string(), len(sealed), buffers)

    # Without `side_effects` equal values of a chunk would be encrypted once.
    kind = PythonUDFType.ARROW
    con.create_function("encrypted", encrypted, ["VARCHAR", "VARCHAR"], "VARCHAR", type=kind, side_effects=True)


def _sealed(cipher: "AESGCM", text: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + cipher.encrypt(nonce, text.encode(), None))
