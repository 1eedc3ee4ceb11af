"""Have hooks verified by hand: for those that were made before anything listened at their URL.

python verify_hooks.py
"""

import os

from tidings import Client

HOOK_IDS = [int(hook_id) for hook_id in os.environ["HOOK_IDS"].split(",")]

client = Client(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
client.authenticate_with_app(int(os.environ["APP_ID"]), os.environ["APP_TOKEN"])

for hook_id in HOOK_IDS:
    client.hooks.verify(hook_id)  # its URL is sent `hook.verify` with a code, which the receiver sends back
    print(f"hook {hook_id}: asked")
