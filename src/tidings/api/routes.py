"""The route table: every operation Tidings has, on a screen or two.

Paths are written without a final slash and answer with one as well (contract section 6.0). `{item_id:int}` stands for
one part that is digits, `{label}` for any one part; where several rows fit, a literal part wins over digits, and digits
win over text. The rows are grouped by noun; their order says nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from tidings.api import (
    apps,
    auth,
    clients,
    comments,
    contacts,
    deliveries,
    diagnosis,
    downloads,
    files,
    forms,
    hooks,
    items,
    members,
    orgs,
    replays,
    spaces,
    statuses,
    tags,
    tasks,
    uploads,
    users,
)
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
    Row("POST", "/oauth/access_token", auth.give_token, open=True),
    Row("POST", "/oauth/revoke", auth.revoke_token, open=True),
    # API clients
    Row("POST", "/client", clients.create_client),
    Row("GET", "/client", clients.list_clients),
    Row("GET", "/client/{auth_client_id:int}", clients.get_client),
    Row("PUT", "/client/{auth_client_id:int}", clients.update_client),
    Row("DELETE", "/client/{auth_client_id:int}", clients.delete_client),
    Row("POST", "/client/{auth_client_id:int}/secret", clients.renew_secret),
    # users
    Row("GET", "/user", users.get_user),
    Row("GET", "/user/status", users.get_status),
    Row("GET", "/user/profile", users.get_profile),
    # organizations
    Row("GET", "/org", orgs.list_orgs),
    Row("POST", "/org", orgs.create_org),
    Row("GET", "/org/url", orgs.find_org),
    Row("GET", "/org/{org_id:int}", orgs.get_org),
    Row("PUT", "/org/{org_id:int}", orgs.update_org),
    Row("GET", "/org/{org_id:int}/space", spaces.list_spaces),
    # spaces
    Row("GET", "/space/org/{org_id:int}", spaces.list_spaces),
    Row("GET", "/space/url", spaces.find_space),
    Row("GET", "/space/top", spaces.list_top_spaces),
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
    Row("GET", "/app", apps.list_own_apps),
    Row("GET", "/app/v2", apps.list_own_apps),
    Row("GET", "/app/space/{space_id:int}", apps.list_apps),
    Row("GET", "/app/space/{space_id:int}/{url_label}", apps.find_app),
    Row("GET", "/app/{app_id:int}", apps.get_app),
    Row("PUT", "/app/{app_id:int}", apps.update_app),
    Row("PUT", "/app/{app_id:int}/v2", apps.update_app),
    Row("DELETE", "/app/{app_id:int}", apps.delete_app),
    Row("POST", "/app/{app_id:int}/activate", apps.activate_app),
    Row("POST", "/app/{app_id:int}/deactivate", apps.deactivate_app),
    Row("POST", "/app/{app_id:int}/install", apps.install_app),
    # fields of an app
    Row("POST", "/app/{app_id:int}/field", apps.create_field),
    Row("GET", "/app/{app_id:int}/field/{field}", apps.get_field),
    Row("PUT", "/app/{app_id:int}/field/{field}", apps.update_field),
    Row("DELETE", "/app/{app_id:int}/field/{field}", apps.delete_field),
    # items
    Row("POST", "/item/app/{app_id:int}", items.create_item),
    Row("GET", "/item/app/{app_id:int}", items.list_items, limited=True),
    Row("GET", "/item/app/{app_id:int}/v2", items.list_items, limited=True),
    Row("GET", "/item/app/{app_id:int}/count", items.count_items, limited=True),
    Row("POST", "/item/app/{app_id:int}/filter", items.filter_items, limited=True),
    Row("POST", "/item/app/{app_id:int}/delete", items.delete_items, limited=True),
    Row("GET", "/item/app/{app_id:int}/external_id/{external_id}", items.get_by_external_id),
    Row("GET", "/app/{app_id:int}/item/{app_item_id:int}", items.get_by_app_item_id),
    Row("GET", "/item/{item_id:int}", items.get_item),
    Row("GET", "/item/{item_id:int}/basic", items.get_basic),
    Row("GET", "/item/{item_id:int}/reference", items.list_references),
    Row("GET", "/item/{item_id:int}/next", items.get_next),
    Row("GET", "/item/{item_id:int}/previous", items.get_previous),
    Row("PUT", "/item/{item_id:int}", items.update_item),
    Row("DELETE", "/item/{item_id:int}", items.delete_item),
    Row("POST", "/item/{item_id:int}/clone", items.clone_item),
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
    Row("POST", "/item/{item_id:int}/revision/{revision:int}/revert_to", items.revert_to_revision),
    Row("DELETE", "/item/{item_id:int}/revision/{revision:int}", items.revert_revision),
    # comments
    Row("POST", "/comment/{ref_type}/{ref_id:int}", comments.create_comment),
    Row("GET", "/comment/{ref_type}/{ref_id:int}", comments.list_comments),
    Row("GET", "/comment/{comment_id:int}", comments.get_comment),
    Row("PUT", "/comment/{comment_id:int}", comments.update_comment),
    Row("DELETE", "/comment/{comment_id:int}", comments.delete_comment),
    # statuses
    Row("POST", "/status/space/{space_id:int}", statuses.create_status),
    Row("GET", "/status/{status_id:int}", statuses.get_status),
    Row("PUT", "/status/{status_id:int}", statuses.update_status),
    Row("DELETE", "/status/{status_id:int}", statuses.delete_status),
    # tags
    Row("GET", "/tag/app/{app_id:int}", tags.list_tags),
    Row("POST", "/tag/{ref_type}/{ref_id:int}", tags.add_tags),
    Row("PUT", "/tag/{ref_type}/{ref_id:int}", tags.set_tags),
    Row("DELETE", "/tag/{ref_type}/{ref_id:int}", tags.remove_tag),
    # contacts
    Row("POST", "/contact/space/{space_id:int}", contacts.create_contact),
    Row("GET", "/contact/space/{space_id:int}", contacts.list_contacts),
    Row("GET", "/contact/user/{user_id:int}", contacts.get_user_contact),
    Row("GET", "/contact/{profile_ids}", contacts.get_contacts),
    Row("GET", "/contact/{profile_ids}/v2", contacts.get_contacts),
    Row("PUT", "/contact/{profile_id:int}", contacts.update_contact),
    Row("DELETE", "/contact/{profile_ids}", contacts.delete_contacts),
    # tasks
    Row("POST", "/task", tasks.create_task),
    Row("GET", "/task", tasks.list_tasks),
    Row("GET", "/task/label", tasks.list_labels),
    Row("POST", "/task/{ref_type}/{ref_id:int}", tasks.create_task_on),
    Row("GET", "/task/{ref_type}/{ref_id:int}", tasks.list_tasks_on),
    Row("GET", "/task/{ref_type}/{ref_id:int}/count", tasks.count_tasks_on),
    Row("GET", "/task/{task_id:int}", tasks.get_task),
    Row("PUT", "/task/{task_id:int}", tasks.update_task),
    Row("DELETE", "/task/{task_id:int}", tasks.delete_task),
    Row("POST", "/task/{task_id:int}/complete", tasks.complete_task),
    Row("POST", "/task/{task_id:int}/incomplete", tasks.incomplete_task),
    Row("POST", "/task/{task_id:int}/assign", tasks.assign_task),
    Row("PUT", "/task/{task_id:int}/text", tasks.update_text),
    Row("PUT", "/task/{task_id:int}/description", tasks.update_description),
    Row("PUT", "/task/{task_id:int}/private", tasks.update_private),
    Row("PUT", "/task/{task_id:int}/due", tasks.update_due),
    Row("PUT", "/task/{task_id:int}/due_date", tasks.update_due),
    Row("PUT", "/task/{task_id:int}/due_on", tasks.update_due),
    Row("PUT", "/task/{task_id:int}/label", tasks.update_labels),
    Row("PUT", "/task/{task_id:int}/ref", tasks.update_reference),
    Row("DELETE", "/task/{task_id:int}/ref", tasks.remove_reference),
    # web forms of an app
    Row("POST", "/form/app/{app_id:int}", forms.create_form),
    Row("GET", "/form/app/{app_id:int}", forms.list_forms),
    Row("GET", "/form/{form_id:int}", forms.get_form),
    Row("PUT", "/form/{form_id:int}", forms.update_form),
    Row("DELETE", "/form/{form_id:int}", forms.delete_form),
    Row("POST", "/form/{form_id:int}/activate", forms.activate_form),
    Row("POST", "/form/{form_id:int}/deactivate", forms.deactivate_form),
    # files
    Row("POST", "/file", uploads.upload_file, streams=True),
    Row("POST", "/file/v2", uploads.upload_file, streams=True),
    Row("GET", "/file/app/{app_id:int}", files.list_app_files),
    Row("GET", "/file/space/{space_id:int}", files.list_space_files),
    Row("GET", "/file/{file_id:int}", files.get_file),
    Row("GET", "/file/{file_id:int}/raw", downloads.download_file),
    Row("PUT", "/file/{file_id:int}", files.describe_file),
    Row("DELETE", "/file/{file_id:int}", files.delete_file),
    Row("POST", "/file/{file_id:int}/attach", files.attach_file),
    Row("POST", "/file/{file_id:int}/replace", files.replace_file),
    Row("POST", "/file/{file_id:int}/copy", files.copy_file),
    # hooks
    Row("POST", "/hook/{ref_type}/{ref_id:int}", hooks.create_hook),
    Row("GET", "/hook/{ref_type}/{ref_id:int}", hooks.list_hooks),
    Row("POST", "/hook/{hook_id:int}/verify/request", hooks.request_verification),
    Row("POST", "/hook/{hook_id:int}/verify/validate", hooks.validate),
    Row("POST", "/hook/{hook_id:int}/secret", hooks.renew_secret),
    Row("GET", "/hook/{hook_id:int}", hooks.get_hook),
    Row("PUT", "/hook/{hook_id:int}", hooks.update_hook),
    Row("DELETE", "/hook/{hook_id:int}", hooks.delete_hook),
    Row("POST", "/hook/{hook_id:int}/pause", hooks.pause_hook),
    Row("POST", "/hook/{hook_id:int}/resume", hooks.resume_hook),
    Row("POST", "/hook/{hook_id:int}/test", hooks.try_hook),
    Row("GET", "/hook/{hook_id:int}/diagnosis", diagnosis.diagnose_hook, limited=True),
    Row("GET", "/.well-known/tidings-keys", hooks.list_keys, open=True),
    # what hooks were told
    Row("GET", "/hook/{hook_id:int}/delivery", deliveries.list_deliveries),
    Row("GET", "/hook/{hook_id:int}/delivery/{sequence:int}", deliveries.get_delivery),
    Row("GET", "/hook/{hook_id:int}/health", deliveries.get_health),
    Row("GET", "/item/{item_id:int}/ledger", deliveries.get_ledger),
    Row("GET", "/app/{app_id:int}/undelivered", deliveries.list_undelivered),
    # deliveries sent again
    Row("POST", "/hook/{hook_id:int}/delivery/{sequence:int}/redeliver", replays.redeliver),
    Row("POST", "/hook/{hook_id:int}/replay", replays.start_replay),
    Row("GET", "/hook/{hook_id:int}/replay", replays.list_replays),
    Row("GET", "/replay/{replay_id:int}", replays.get_replay),
    Row("POST", "/replay/{replay_id:int}/stop", replays.stop_replay),
]
