"""From the settings to the store of bytes that they name."""

from __future__ import annotations

from pathlib import Path

from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.store.blobs.blobs import Blobs
from tidings.store.blobs.disk import Disk


def open_blobs(settings: Settings) -> Blobs:
    """A folder, empty meaning `files` in the data folder, or `s3://bucket/prefix`.

    Raises `Invalid` for a setting that cannot be used, `Unavailable` when the folder cannot be had.
    """
    if settings.files.startswith("s3://"):
        return _s3(settings)
    if "://" in settings.files:
        raise Invalid("files is a folder, or an `s3://bucket/prefix` URL", parameters={"setting": "files"})
    return Disk(Path(settings.files) if settings.files else settings.data / "files")


def _s3(settings: Settings) -> Blobs:
    try:
        from tidings.store.blobs.s3 import open_s3  # noqa: PLC0415 (what it needs is an extra)
    except ModuleNotFoundError:
        raise Invalid("files in S3 need the extra `s3`: pip install 'tidings[s3]'", parameters={"setting": "files"}) from None
    return open_s3(settings)
