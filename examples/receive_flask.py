"""Everything an app's hooks tell, in Flask.

flask --app receive_flask run --port 9000
"""

import os

from flask import Flask

from tidings import Client
from tidings.receiver import Event, Receiver
from tidings.receiver.flask import endpoint

client = Client(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
client.authenticate_with_app(int(os.environ["APP_ID"]), os.environ["APP_TOKEN"])
hooks = Receiver(client, secrets=os.environ["HOOK_SECRETS"].split(","), expect=map(int, os.environ["HOOK_IDS"].split(",")))


@hooks.on("item.create", "item.update")
def changed(event: Event) -> None:
    item = client.items.get(event.item_id)
    print(event.type, item["title"])


@hooks.on("item.delete")
def deleted(event: Event) -> None:
    print(event.type, event.item_id)


app = Flask(__name__)
app.add_url_rule("/hooks", view_func=endpoint(hooks), methods=["POST"])
