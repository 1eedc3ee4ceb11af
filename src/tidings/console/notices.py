"""What a page says when something has been done: a closed list, so that nobody's link can put words into our mouth.

A form that has been read answers with a redirect (`desk.done`), whose address carries the key; the page that it leads to
says the sentence.
"""

from __future__ import annotations

NOTICES: dict[str, str] = {
    "org-made": "The organization is there.",
    "space-made": "The space is there. Make an app in it next.",
    "space-changed": "The space has been changed.",
    "space-joined": "You are in the space now.",
    "space-left": "You have left the space.",
    "space-deleted": "The space has been deleted, and its apps with it.",
    "member-added": "They are in the space now.",
    "member-changed": "Their role has been changed.",
    "member-removed": "They are no longer in the space.",
    "app-made": "The app is there. Add its fields, or its first item.",
    "app-changed": "The app has been changed.",
    "app-deleted": "The app has been deleted.",
    "field-added": "The field has been added.",
    "field-changed": "The field has been changed.",
    "field-deleted": "The field has been taken away.",
    "item-made": "The item has been added.",
    "item-changed": "The item has been changed.",
    "item-same": "Nothing was different, so nothing was changed and no hook is told.",
    "item-deleted": "The item has been deleted.",
    "tag-added": "The tag has been put on.",
    "tag-removed": "The tag has been taken off.",
    "comment-made": "The comment is there.",
    "comment-deleted": "The comment has been deleted.",
    "hook-there": "The webhook is there.",
    "code-sent": "The code has been sent.",
    "hook-verified": "Verified. From now on it is told. Send a test, or change something, and watch it arrive.",
    "hook-paused": "Paused. What it hears of waits.",
    "hook-resumed": "Resumed. What has waited goes out now.",
    "test-sent": "A test is on its way.",
    "hook-stays": "It stays at its URL.",
    "hook-moving": "A code has been sent to the new URL.",
    "hook-changed": "The settings have been saved.",
    "hook-deleted": "The webhook has been deleted.",
    "redelivered": "It is sent again.",
    "replay-started": "The replay has begun.",
    "replay-stopped": "The replay has been stopped.",
}
