"""A file system in memory for what tests write, where there is one with room.

A durable commit waits for the disk, and a disk that others use takes its time: the suite spent most of its minutes there.
Nothing is lost by it: what these tests kill is a server or a client, never the machine.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # a container's is often 64 MB, too little
ROOM = 2_000_000_000  # bytes: several times what the suite has needed


def folder_in_memory() -> Path | None:
    """Where to make temporary folders, or None for the usual place."""
    fits = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if fits else None
