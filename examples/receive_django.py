"""Everything an app's hooks tell, in Django; a real project has its own settings and urls.

python receive_django.py runserver 9000
"""

import os

from django.conf import settings
from django.core.management import execute_from_command_line
from django.urls import path

from tidings import Client
from tidings.receiver import Event, Receiver
from tidings.receiver.django import endpoint

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


settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY=os.urandom(32).hex())
urlpatterns = [path("hooks", endpoint(hooks))]

if __name__ == "__main__":
    execute_from_command_line()
