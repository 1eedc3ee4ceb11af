"""List the hooks of an app and of one of its fields, and whether they are active.

python list_hooks.py
"""

import os

from tidings import Client

APP_ID = int(os.environ["APP_ID"])
FIELD_ID = int(os.environ["FIELD_ID"])

client = Client(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
client.authenticate_with_app(APP_ID, os.environ["APP_TOKEN"])

for ref_type, ref_id in ("app", APP_ID), ("app_field", FIELD_ID):
    for hook in client.hooks.list(ref_type, ref_id):
        print(hook["hook_id"], hook["status"], hook["type"], hook["url"])
