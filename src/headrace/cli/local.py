"""The database of this machine, asked by the API's own endpoints: no server is needed, and no key."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import Request

from headrace.api.call import STATE, Call, Server
from headrace.api.gateway import Operation
from headrace.api.naver.errors import service_error
from headrace.api.naver.operations import find
from headrace.api.naver.service import ENDPOINTS
from headrace.auth.principal import Principal
from headrace.cli.asking import Refused, read
from headrace.clock import Clock, SystemClock
from headrace.db import Database
from headrace.errors import HeadraceError
from headrace.ids import new_id
from headrace.service.issuing import ACCOUNT
from headrace.service.serve import database_of
from headrace.settings import Settings
from headrace.stores.access import mapped_nrns

# Who may read the data folder, or knows the database's password, may do all.
_WHO = Principal(ACCOUNT, "command line", "", "manager")
_PEER = "this machine"


class Local:
    """The endpoints of the API over a database."""

    is_local = True

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self.database = database
        self._server = Server(database, clock, settings, frozenset(mapped_nrns(settings)))

    def __call__(self, method: str, target: str, body: object = None, /) -> Any:
        """What is answered. Raises Refused, JobInvalid, or DatabaseFailed."""
        parts = urlsplit(target)
        operation = find(method, parts.path)
        if operation is None:
            raise Refused(f"there is no {method} {target}", code="not-found", status=404)
        shape = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
        match = re.fullmatch(shape, parts.path)
        assert match is not None
        names = {name: unquote(text) for name, text in match.groupdict().items()}
        try:
            answer = ENDPOINTS[operation.name](self._request(operation, target, body), **names)
        except HeadraceError as error:
            told = service_error(error)
            if told is None:
                raise
            return read(told.status, json.dumps(told.body(parts.path)).encode())
        return read(answer.status_code, bytes(answer.body))

    def _request(self, operation: Operation, target: str, body: object) -> Request:
        parts = urlsplit(target)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        call = Call(
            server=self._server,
            principal=_WHO,
            operation=operation,
            headers={},
            body=data,
            target=target,
            peer=_PEER,
            trace_id=new_id(),
        )
        about = {"method": operation.method, "path": parts.path, "query_string": parts.query.encode()}
        scope = {"type": "http", "headers": [], **about}
        return Request({**scope, "state": {STATE: call}})


@contextmanager
def local(settings: Settings) -> Iterator[Local]:
    """The database that the settings name; the one of the data folder is made when it is not there."""
    with database_of(settings) as database:
        database.check_version()
        yield Local(database, settings, SystemClock())
