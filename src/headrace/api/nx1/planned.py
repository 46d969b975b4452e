"""What the vendor has and Headrace does not yet: each answers 501 with its name."""

from collections.abc import Callable

from fastapi import APIRouter

from headrace.errors import NotBuilt

AREAS = {
    "airbyte": "ingestion by connectors",
    "analytics": "dashboards and datasets",
    "app": "the app manager",
    "automl": "training of models",
    "crews": "crews of agents",
    "data": "reading data products",
    "data_shares": "data shares",
    "dataeng": "queries from natural language",
    "dataingest": "this endpoint of ingestion; there are /submit and /file_ingestion_options",
    "datamirroring": "mirroring of databases",
    "dataproduct": "data products",
    "dq": "rules of data quality",
    "metastore": "the metastore",
    "models": "deployment of models",
    "query": "questions in natural language",
    "s3": "the buckets of object storage",
    "worker": "tasks of workers",
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def planned_routes() -> APIRouter:
    """A route for each area, and all below it."""
    router = APIRouter()
    for area, what in AREAS.items():
        for path in (f"/api/{area}", f"/api/{area}/{{rest:path}}"):
            router.add_api_route(path, _endpoint(f"{what} (/api/{area})"), methods=_METHODS, include_in_schema=False)
    return router


def _endpoint(what: str) -> Callable[[], None]:
    def endpoint() -> None:
        raise NotBuilt(what)

    return endpoint
