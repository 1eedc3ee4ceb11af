"""Promise 7: whatever happens, no secret, token or code comes out in a log line, a metric or an error."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.support.databases import Place
from tests.support.processes import Serving, serving
from tests.support.receiver import Answer, Received, receiving
from tidings.cli.seed import Seed, make_seed
from tidings.client import Client
from tidings.settings import Settings

LOUD = {"TIDINGS_LOG_FORMAT": "json", "TIDINGS_SCHEDULE": "0.1,0.1"}


def ask(server: Serving, method: str, path: str, body: bytes | None = None, **headers: str) -> str:
    """The body of the answer, whatever its status."""
    request = urllib.request.Request(server.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


def log_in(server: Serving, seed: Seed) -> dict[str, Any]:
    form = {"grant_type": "password", "username": seed.username, "password": seed.password}
    form |= {"client_id": seed.client_id, "client_secret": seed.client_secret}
    pair: dict[str, Any] = json.loads(ask(server, "POST", "/oauth/token", urllib.parse.urlencode(form).encode()))
    return pair


def provoke_errors(server: Serving, seed: Seed, token: str) -> str:
    """Errors of every kind, with secrets in all that was sent. Answers what came back."""
    wrong = f"grant_type=app&app_id={seed.app_id}&app_token={seed.app_token}x&client_id={seed.client_id}&client_secret={seed.client_secret}"
    return "".join(
        [
            ask(server, "POST", "/oauth/token", wrong.encode()),
            ask(server, "POST", f"/oauth/token?{wrong}"),
            ask(server, "POST", f"/oauth/token/v2?client_secret={seed.client_secret}", b"{" + seed.password.encode()),
            ask(server, "GET", f"/item/999?oauth_token={token}"),
            ask(server, "GET", f"/nothing/here?app_token={seed.app_token}&oauth_token={token}"),
            ask(server, "POST", f"/item/app/{seed.app_id}", b"[1,", Authorization=f"OAuth2 {token}"),
            ask(server, "GET", "/user", Authorization=f"OAuth2 {token}x"),
        ]
    )


async def test_no_secret_token_or_code_comes_out(place: Place) -> None:
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data, database=place.url))

    async def bad(came: Received) -> Answer:
        return 200 if came.form["type"] == "hook.verify" else 500

    with serving(place, environment=LOUD) as server:
        pair = await asyncio.to_thread(log_in, server, seed)
        client = Client(server.url, seed.client_id, seed.client_secret)
        await asyncio.to_thread(client.authenticate_with_app, seed.app_id, seed.app_token)
        async with receiving(bad) as receiver:
            url = f"{receiver.url}/in?key=a-secret-of-the-url"
            hook = await asyncio.to_thread(client.hooks.create, "app", seed.app_id, url, "item.create")
            await receiver.wait_for_count(1)
            code = receiver.forms()[0]["code"]
            with_wrong_code = asyncio.to_thread(client.hooks.validate, hook.hook_id, code[::-1])
            refused = str(await asyncio.gather(with_wrong_code, return_exceptions=True))
            await asyncio.to_thread(client.hooks.validate, hook.hook_id, code)
            await asyncio.to_thread(client.items.create, seed.app_id, {"title": "one"})
            await receiver.wait_for_count(3, "item.create")
        answers = await asyncio.to_thread(provoke_errors, server, seed, client.access_token)
        metrics = await asyncio.to_thread(ask, server, "GET", "/metrics")
        server.stop()
        printed = server.output

    assert '"event":"delivery"' in printed.replace(" ", "")
    assert hook.secret is not None
    key = (place.data / "key").read_text().strip()
    secrets = {
        "client_secret": seed.client_secret,
        "app_token": seed.app_token,
        "password": seed.password,
        "access_token": pair["access_token"],
        "refresh_token": pair["refresh_token"],
        "the app's access token": client.access_token,
        "hook secret": hook.secret.removeprefix("whsec_"),
        "code": code,
        "wrong code": code[::-1],
        "sealing key": key,
        "the URL's own secret": "a-secret-of-the-url",
    }
    for place_name, text in {"log": printed, "errors": answers + refused, "metrics": metrics}.items():
        assert [name for name, secret in secrets.items() if secret in text] == [], place_name
