"""Bytes in a bucket of a store that speaks S3: Amazon's, or any other by its endpoint.

Small files go in one request, larger ones as a multipart upload of which two parts are under way at once. What is
interrupted is aborted; what a crash interrupted stays in the bucket's hidden state until its own lifecycle rule ends it
(`AbortIncompleteMultipartUpload`; see docs/operations.md), as it cannot be listed here.

The keys are those of the settings. Amazon's own sources of them (environment variables, the roles of a machine) are only
asked where `files_credentials` says so: a stray variable would otherwise sign for somebody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tidings.errors import Invalid, Unavailable
from tidings.settings import Settings
from tidings.store.blobs.blobs import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Credential

PART = 5 * 1024 * 1024  # bytes: the least that S3 takes as a part
PARTS = 2  # under way at once, for one file
PIECE = 256 * 1024  # bytes handed on at once when reading
SLOWEST = timedelta(seconds=60)  # for one request, and between two reads
RETRIED = timedelta(seconds=20)


def open_s3(settings: Settings) -> S3:
    """The bucket that `settings` name; nothing is asked of it yet. Raises `Invalid` for what cannot be used."""
    url = urlsplit(settings.files)
    if not url.netloc or url.query or url.fragment or "@" in url.netloc or ":" in url.netloc:
        raise _refused("files", "in S3 is `s3://bucket/prefix`")
    endpoint = settings.files_endpoint or f"https://s3.{settings.files_region}.amazonaws.com"
    if not endpoint.startswith(("https://", "http://")):
        raise _refused("files_endpoint", "is an `https://` or `http://` URL")
    store = S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        endpoint=endpoint.rstrip("/"),
        region=settings.files_region,
        virtual_hosted_style_request=False,
        skip_signature=False,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": SLOWEST, "connect_timeout": timedelta(seconds=5)},
        retry_config={"max_retries": 3, "retry_timeout": RETRIED},
        **_credentials(settings),
    )
    return S3(store)


def _credentials(settings: Settings) -> dict[str, Any]:
    if settings.files_credentials == "aws":
        return {}
    if not settings.files_key_id or not settings.files_key:
        raise _refused("files_key_id", "and files_key are needed for S3, or files_credentials=aws")

    def provide() -> S3Credential:
        return {"access_key_id": settings.files_key_id, "secret_access_key": settings.files_key, "token": None, "expires_at": None}

    return {"credential_provider": provide}


def _refused(name: str, rule: str) -> Invalid:
    return Invalid(f"the setting {name} {rule}", parameters={"setting": name})


class S3:
    """See `Blobs`."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def put(self, mark: str, chunks: AsyncIterator[bytes]) -> str:
        """See `Blobs.put`."""
        key = new_key(mark)
        head = bytearray()
        with _translated("stored"):
            async for chunk in chunks:
                head += chunk
                if len(head) >= PART:
                    await obstore.put_async(self._store, key, _after(head, chunks), chunk_size=PART, max_concurrency=PARTS)
                    return key
            await obstore.put_async(self._store, key, bytes(head), use_multipart=False)
        return key

    async def get(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """See `Blobs.get`."""
        if start == end:
            return _read(None, 0)
        with _translated("read"):
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
        return _read(found.stream(min_chunk_size=PIECE), end - start)

    async def delete(self, keys: Collection[str]) -> None:
        """See `Blobs.delete`."""
        with _translated("deleted"):
            await obstore.delete_async(self._store, list(keys))

    async def older(self, mark: str, before: int) -> AsyncIterator[list[str]]:
        """See `Blobs.older`."""
        with _translated("listed"):
            async for page in obstore.list(self._store, prefix=mark, chunk_size=1_000):
                yield [each["path"] for each in page if each["last_modified"].timestamp() * 1_000_000 < before]


async def _after(head: bytearray, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield bytes(head)
    head.clear()
    async for chunk in chunks:
        yield chunk


async def _read(stream: AsyncIterator[bytes] | None, size: int) -> AsyncIterator[bytes]:
    """`size` bytes; nothing is asked for where there are none."""
    if stream is not None:
        with _translated("read"):
            async for piece in stream:
                size -= len(piece)
                yield piece
    if size:
        raise Unavailable("The file cannot be read: its end is missing")


@contextmanager
def _translated(what: str) -> Iterator[None]:
    # What the library says names the address, and may name more: it is left out.
    try:
        yield
    except (BaseError, OSError) as error:
        raise Unavailable(f"The file cannot be {what}: the store of the files fails ({type(error).__name__})") from None
