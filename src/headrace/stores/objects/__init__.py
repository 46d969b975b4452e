"""Object storage that speaks S3."""

from headrace.stores.objects.client import BRIEF, PATIENT
from headrace.stores.objects.store import ObjectStore

__all__ = ["BRIEF", "PATIENT", "ObjectStore"]
