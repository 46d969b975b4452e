"""Object storage that speaks S3."""

from headrace.stores.objects.store import ObjectStore

__all__ = ["ObjectStore"]
