"""What tests of the API say again and again."""

from __future__ import annotations

import httpx

from tests.support.house import Api

ENVELOPE = {"error", "error_detail", "error_description", "error_parameters", "error_propagate", "request"}


def refused(answer: httpx.Response, status: int, field: str | None = None) -> None:
    """Assert that it is this status in Podio's envelope, and that its sentence begins with `field`."""
    body = answer.json()
    assert (answer.status_code, set(body)) == (status, ENVELOPE), answer.text
    if field is not None:
        assert body["error_parameters"].get("field") == field
        assert body["error_description"].startswith(field)


async def bob_in(api: Api, role: str) -> None:
    """Take Bob into the space."""
    answer = await api.post(f"/space/{api.people.space_id}/member", {"role": role, "mails": ["bob@example.org"], "message": "Hi"})
    assert (answer.status_code, answer.content) == (204, b"")
