"""What an answer of object storage means to the person whose run it was. Pure."""

from headrace.errors import SourceChanged, StoreDenied, StoreError, StoreFull, StoreMissing

Meaning = tuple[type[StoreError], str, str]

_KEYS = "look at s3_access_key and s3_secret_key, and whether they are those of this endpoint"
_CLOCK = "set this machine's clock: signatures hold for a few minutes"
_RIGHTS = "let these keys list the bucket, and read, write and delete below the prefix"
_AGAIN = "run again; if it stays, look at the endpoint"
_CHANGED = "run again when nobody writes there"
_CODES: dict[str, Meaning] = {
    "AccessDenied": (StoreDenied, "the keys do not allow it", _RIGHTS),
    "AllAccessDisabled": (StoreDenied, "the bucket is closed", _RIGHTS),
    "AuthorizationHeaderMalformed": (StoreDenied, "the signature is for another region", "set s3_region"),
    "BucketRegionError": (StoreDenied, "the bucket lies in another region", "set s3_region"),
    "ConditionalRequestConflict": (SourceChanged, "somebody else changed it at the same moment", _CHANGED),
    "ExpiredToken": (StoreDenied, "the session token has expired", "set s3_session_token to a new one"),
    "InvalidAccessKeyId": (StoreDenied, "the endpoint does not know the access key", _KEYS),
    "InvalidToken": (StoreDenied, "the endpoint does not take the session token", "look at s3_session_token"),
    "NoSuchBucket": (StoreMissing, "there is no such bucket", "make it, or name another one"),
    "NoSuchKey": (SourceChanged, "it is gone", _CHANGED),
    "NotImplemented": (StoreError, "the endpoint can't do what was asked", "see which servers work in the S3 page"),
    "PermanentRedirect": (StoreDenied, "the bucket lies elsewhere", "look at s3_endpoint and s3_region"),
    "PreconditionFailed": (SourceChanged, "it has changed since the run listed it", _CHANGED),
    "QuotaExceeded": (StoreFull, "there is no room left", "make room, or write to another bucket"),
    "RequestTimeTooSkewed": (StoreDenied, "the clocks of this machine and of the endpoint differ too much", _CLOCK),
    "SignatureDoesNotMatch": (StoreDenied, "the secret key is not that of the access key", _KEYS),
    "SlowDown": (StoreError, "the endpoint asks for fewer requests", _AGAIN),
    "XMinioStorageFull": (StoreFull, "there is no room left", "make room, or write to another bucket"),
}
_STATUSES: dict[int, Meaning] = {
    301: _CODES["PermanentRedirect"],
    401: _CODES["AccessDenied"],
    403: _CODES["AccessDenied"],
    404: _CODES["NoSuchKey"],
    409: (StoreError, "somebody else changed it at the same moment", _AGAIN),
    412: _CODES["PreconditionFailed"],
    501: _CODES["NotImplemented"],
    507: _CODES["QuotaExceeded"],
}
# The names of the client's own failures, none of which has an answer of the endpoint.
_FAILURES: dict[str, Meaning] = {
    "EndpointConnectionError": (StoreError, "the endpoint can't be reached", "is it up, and is s3_endpoint right?"),
    "ConnectTimeoutError": (StoreError, "the endpoint does not answer", "is it up, and is s3_endpoint right?"),
    "ReadTimeoutError": (StoreError, "the endpoint takes the request and does not answer", _AGAIN),
    "ConnectionClosedError": (StoreError, "the endpoint closes the connection", _AGAIN),
    "IncompleteReadError": (StoreError, "the endpoint ends its answer too early", _AGAIN),
    "ResponseStreamingError": (StoreError, "the endpoint ends its answer too early", _AGAIN),
    "SSLError": (
        StoreDenied,
        "no secure connection",
        "look at s3_tls, and at s3_ca_bundle for a certificate of your own",
    ),
    "ProxyConnectionError": (StoreError, "the proxy can't be reached", "look at the proxy in the environment"),
}


def meant(code: str, status: int) -> Meaning:
    """What an answer with this error code and status means."""
    if code in _CODES:
        return _CODES[code]
    if status in _STATUSES:
        return _STATUSES[status]
    shown = f"{status} {code}" if code and code != str(status) else str(status)
    return StoreError, f"the endpoint answers {shown}", _AGAIN


def failed(name: str) -> Meaning:
    """What a failure of the client, by the name of its class, means."""
    return _FAILURES.get(name, (StoreError, f"the request could not be made ({name})", _AGAIN))
