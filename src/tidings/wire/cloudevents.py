"""CloudEvents 1.0 in HTTP: an event's attributes as the members of one JSON object, or as `ce-` headers beside the data.

Sources: CloudEvents 1.0.2, "Context Attributes"; JSON Event Format, section 3; HTTP Protocol Binding, sections 3.1 and 3.2.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from tidings.clock import SECOND

STRUCTURED = "application/cloudevents+json"
DATA = "application/json"


def attributes(*, id: str, source: str, type: str, subject: str, time: int) -> dict[str, str]:
    """The context of an event. `source` is a URI, `time` microseconds since the epoch."""
    return {"specversion": "1.0", "id": id, "source": source, "type": type, "subject": subject, "time": _rfc3339(time)}


def structured(context: Mapping[str, str], data: object) -> dict[str, object]:
    """The one JSON object that holds both."""
    return {**context, "datacontenttype": DATA, "data": data}


def headers(context: Mapping[str, str]) -> str:
    """The attributes as header lines; what is no printable ASCII goes percent-encoded, so no value can end its line."""
    return "".join(f"ce-{name}: {_UNSAFE.sub(_encoded, value)}\r\n" for name, value in context.items())


_UNSAFE = re.compile(r'[^!-~]|["%]')  # HTTP Protocol Binding, section 3.1.3.2


def _encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _rfc3339(moment: int) -> str:
    seconds, rest = divmod(moment, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:06d}Z"  # as in `podio.timestamp`
