"""Make three hooks, for items created and deleted in an app and for updates of one of its fields alone.

Prints what the receiver has to know; a secret is shown this once.

python create_hooks.py
"""

import os

from tidings import Client

APP_ID = int(os.environ["APP_ID"])
APP_TOKEN = os.environ["APP_TOKEN"]
FIELD_ID = int(os.environ["FIELD_ID"])
HOOK_URL = os.environ["HOOK_URL"]

client = Client(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
client.authenticate_with_app(APP_ID, APP_TOKEN)

hooks = [
    client.hooks.create("app", APP_ID, HOOK_URL, "item.create"),
    client.hooks.create("app_field", FIELD_ID, HOOK_URL, "item.update"),
    client.hooks.create("app", APP_ID, HOOK_URL, "item.delete"),
]
print(f"export HOOK_IDS={','.join(str(hook.hook_id) for hook in hooks)}")
print(f"export HOOK_SECRETS={','.join(hook.secret or '' for hook in hooks)}")
