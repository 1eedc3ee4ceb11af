"""The route table: every operation Tidings has, on a screen or two.

Paths are written without a final slash and answer with one as well (contract section 6.0). `{item_id:int}` stands for
one part that is digits, `{label}` for any one part; where several rows fit, a literal part wins over digits, and digits
win over text. The rows are grouped by noun; their order says nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from tidings.api import apps, auth, hooks, items, members, orgs, spaces, users
from tidings.api.operations import Operation


class Row(NamedTuple):
    """One operation: how it is asked for, and what does it."""

    method: str
    path: str
    operation: Operation
    open: bool = False  # answers without a token
    streams: bool = False  # reads its body itself, whatever its length
    limited: bool = False  # counts towards the lower rate limit as well (contract section 5.4)


ROUTES: list[Row] = [
    # tokens
    Row("POST", "/oauth/token", auth.give_token, open=True),
    Row("POST", "/oauth/token/v2", auth.give_token, open=True),
    # users
    Row("GET", "/user", users.get_user),
    Row("GET", "/user/status", users.get_status),
    Row("GET", "/user/profile", users.get_profile),
    # organizations
    Row("GET", "/org", orgs.list_orgs),
    Row("POST", "/org", orgs.create_org),
    Row("GET", "/org/{org_id:int}", orgs.get_org),
    Row("GET", "/org/{org_id:int}/space", spaces.list_spaces),
    # spaces
    Row("GET", "/space/org/{org_id:int}", spaces.list_spaces),
    Row("GET", "/space/url", spaces.find_space),
    Row("POST", "/space", spaces.create_space),
    Row("GET", "/space/{space_id:int}", spaces.get_space),
    Row("PUT", "/space/{space_id:int}", spaces.update_space),
    Row("DELETE", "/space/{space_id:int}", spaces.delete_space),
    # members of a space
    Row("GET", "/space/{space_id:int}/member", members.list_members),
    Row("GET", "/space/{space_id:int}/member/v2", members.list_members),
    Row("GET", "/space/{space_id:int}/member/{user_id:int}", members.get_member),
    Row("GET", "/space/{space_id:int}/member/{user_id:int}/v2", members.get_member),
    Row("POST", "/space/{space_id:int}/member", members.add_members),
    Row("PUT", "/space/{space_id:int}/member/{user_ids}", members.set_role),
    Row("DELETE", "/space/{space_id:int}/member/{user_ids}", members.remove_members),
    Row("POST", "/space/{space_id:int}/join", members.join_space),
    Row("POST", "/space/{space_id:int}/leave", members.leave_space),
    # apps
    Row("POST", "/app", apps.create_app),
    Row("GET", "/app/v2", apps.list_own_apps),
    Row("GET", "/app/space/{space_id:int}", apps.list_apps),
    Row("GET", "/app/space/{space_id:int}/{url_label}", apps.find_app),
    Row("GET", "/app/{app_id:int}", apps.get_app),
    Row("PUT", "/app/{app_id:int}", apps.update_app),
    Row("PUT", "/app/{app_id:int}/v2", apps.update_app),
    Row("DELETE", "/app/{app_id:int}", apps.delete_app),
    Row("POST", "/app/{app_id:int}/activate", apps.activate_app),
    Row("POST", "/app/{app_id:int}/deactivate", apps.deactivate_app),
    # fields of an app
    Row("POST", "/app/{app_id:int}/field", apps.create_field),
    Row("GET", "/app/{app_id:int}/field/{field}", apps.get_field),
    Row("PUT", "/app/{app_id:int}/field/{field}", apps.update_field),
    Row("DELETE", "/app/{app_id:int}/field/{field}", apps.delete_field),
    # items
    Row("POST", "/item/app/{app_id:int}", items.create_item),
    Row("GET", "/item/app/{app_id:int}", items.list_items),
    Row("GET", "/item/app/{app_id:int}/v2", items.list_items),
    Row("GET", "/item/app/{app_id:int}/count", items.count_items),
    Row("POST", "/item/app/{app_id:int}/filter", items.filter_items),
    Row("POST", "/item/app/{app_id:int}/delete", items.delete_items),
    Row("GET", "/item/app/{app_id:int}/external_id/{external_id}", items.get_by_external_id),
    Row("GET", "/app/{app_id:int}/item/{app_item_id:int}", items.get_by_app_item_id),
    Row("GET", "/item/{item_id:int}", items.get_item),
    Row("GET", "/item/{item_id:int}/basic", items.get_item),
    Row("PUT", "/item/{item_id:int}", items.update_item),
    Row("DELETE", "/item/{item_id:int}", items.delete_item),
    # values of an item
    Row("GET", "/item/{item_id:int}/value", items.get_values),
    Row("GET", "/item/{item_id:int}/value/v2", items.get_values),
    Row("GET", "/item/{item_id:int}/value/{field}", items.get_field_values),
    Row("PUT", "/item/{item_id:int}/value", items.update_values),
    Row("PUT", "/item/{item_id:int}/value/{field}", items.update_field_value),
    # revisions of an item
    Row("GET", "/item/{item_id:int}/revision", items.list_revisions),
    Row("GET", "/item/{item_id:int}/revision/{revision:int}", items.get_revision),
    Row("GET", "/item/{item_id:int}/revision/{from:int}/{to:int}", items.compare_revisions),
    # hooks
    Row("POST", "/hook/{ref_type}/{ref_id:int}", hooks.create_hook),
    Row("GET", "/hook/{ref_type}/{ref_id:int}", hooks.list_hooks),
    Row("POST", "/hook/{hook_id:int}/verify/request", hooks.request_verification),
    Row("POST", "/hook/{hook_id:int}/verify/validate", hooks.validate),
    Row("DELETE", "/hook/{hook_id:int}", hooks.delete_hook),
]
