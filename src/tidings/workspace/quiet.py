"""Apps that tell nobody: whose config says `disable_notifications` (contract section 1.2, the notes).

What happens in such an app is recorded as everywhere, but no hook hears of it: its events are written unheard, as for a
change with `hook=false`. That goes for every event that a hook on an app or a field hears; what a space's hooks hear (its
tasks, an app's coming) is the space's own. An event is heard as the app is when it is written, so that the change which
ends the quiet is the first to be heard again.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, select

from tidings.store.database import Tx
from tidings.store.schema import apps


class _Config(Struct):
    disable_notifications: bool = False


_CONFIG = select(apps.c.config).where(apps.c.app_id == bindparam("app_id"))
_decode = msgspec.json.Decoder(_Config).decode


@lru_cache(maxsize=256)  # it is read with every change of an item
def is_quiet(config: str) -> bool:
    """Whether the app with this `config`, as its row keeps it, tells nobody."""
    return _decode(config).disable_notifications


def tells(tx: Tx, app_id: int | None) -> bool:
    """Whether hooks hear of what happens in the app."""
    config = tx.execute(_CONFIG, {"app_id": app_id}).scalar()
    return config is None or not is_quiet(config)
