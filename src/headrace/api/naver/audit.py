"""The audit log; it is ours."""

from datetime import datetime

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.naver.answers import answered, listed, of_entry
from headrace.api.naver.dates import KST
from headrace.api.naver.reading import page_of, text_of, unknown_query
from headrace.core import audit
from headrace.core.audit import RESULTS, AuditFilter
from headrace.errors import BadParameter, Problem

FILTERS = ("principal", "action", "resource", "result", "startDate", "endDate")


def get_audit_list(request: Request) -> Response:
    """View what was changed, and what was not allowed, the newest first."""
    call, page = call_of(request), page_of(request)
    wanted = AuditFilter(
        who=text_of(request, "principal") or "",
        action=text_of(request, "action") or "",
        resource=text_of(request, "resource") or "",
        result=_result(request),
        begin=_moment(request, "startDate"),
        end=_moment(request, "endDate"),
    )
    with call.server.database.reading() as con:
        rows, count = audit.list(con, call.principal.account_id, filter=wanted, page=page)
    found = listed([of_entry(row) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, (*FILTERS, "page", "limit")))


def _result(request: Request) -> str:
    text = text_of(request, "result") or ""
    if text and text not in RESULTS:
        told = f"{text[:40]!r} is not a result; there is {', '.join(RESULTS)}"
        raise BadParameter([Problem("bad-value", told, field="result")])
    return text


def _moment(request: Request, name: str) -> datetime | None:
    """A moment of the query, in Korean time unless it says otherwise. Raises BadParameter."""
    text = text_of(request, name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that was not encoded is a space
        at = found if found.tzinfo else found.replace(tzinfo=KST)
        at.timestamp()
    except (ValueError, OverflowError):
        told = f"{text[:40]!r} is no moment"
        raise BadParameter([Problem("bad-value", told, "write 2025-03-21T10:02:02", field=name)]) from None
    return at
