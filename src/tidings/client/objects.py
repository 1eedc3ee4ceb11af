"""What the server answers, as types: the objects of Podio's that Tidings answers too (contract section 6).

An answer is the plain dictionary that came, so a key that is not named here is there all the same. Of each object the
client checks the ids that its call needs; the rest is the server's word. What Tidings adds to Podio's is `NotRequired`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict


@dataclass(frozen=True, slots=True)
class NewHook:
    """A hook that was just made. `secret` signs its deliveries and is shown this once; None where the hook was there already."""

    hook_id: int
    secret: str | None = field(default=None, repr=False)


class Byline(TypedDict):
    """Who did something."""

    type: str  # user | app | system
    id: int
    name: str
    url: str | None


class Via(TypedDict):
    """The API client that it was done through."""

    id: int
    auth_client_id: int | None
    name: str
    url: str | None
    display: bool


class Made(TypedDict):
    """When something was made, and by whom."""

    created_on: str  # YYYY-MM-DD HH:MM:SS, UTC
    created_by: Byline
    created_via: Via


class Hook(Made):
    """A hook. Why it stands as it does, Tidings says; Podio does not."""

    hook_id: int
    status: str  # active | inactive
    type: str
    url: str
    ref_type: NotRequired[str]
    ref_id: NotRequired[int]
    next_url: NotRequired[str | None]
    order: NotRequired[str]
    concurrency: NotRequired[int | None]
    preserve_query: NotRequired[bool]
    format: NotRequired[str]
    signing: NotRequired[str]
    reason: NotRequired[str | None]
    paused_on: NotRequired[str | None]
    activated_on: NotRequired[str | None]
    deactivated_on: NotRequired[str | None]
    failures_in_row: NotRequired[int]
    last_success_on: NotRequired[str | None]
    last_failure_on: NotRequired[str | None]
    last_failure_reason: NotRequired[str | None]
    last_failure_status: NotRequired[int | None]


class Check(TypedDict):
    """One thing that a diagnosis looked at."""

    name: str
    state: str  # ok | problem | unknown | skipped
    sentence: str
    cause: str | None  # where it may be why nothing arrives


class Diagnosis(TypedDict):
    """Why a hook's deliveries do not arrive: in a word (`none` where nothing is wrong), and in a sentence that says what to do."""

    hook_id: int
    made_on: str
    cause: str
    conclusion: str
    checks: list[Check]


class ReplayPlan(TypedDict):
    """What a replay would come to: how many deliveries, of events from when to when, in how many seconds."""

    total: int
    first_on: str | None
    last_on: str | None
    seconds: float
    rate: int
    states: dict[str, int]  # how many of each
    types: dict[str, int]


class Replay(TypedDict):
    """Deliveries that are sent again, and how far that has come."""

    replay_id: int
    hook_id: int
    state: str  # running | finished | stopped
    states: list[str]
    types: list[str]
    since: str | None
    until: str | None
    rate: int
    total: int
    released: int
    delivered: int
    failed: int
    waiting: int
    retrying: int
    created_on: str
    created_by: Byline
    ended_on: str | None


# --- people and places -------------------------------------------------------------------------------------------------


class User(TypedDict):
    """An account."""

    user_id: int
    mail: str
    status: str
    locale: str
    timezone: str
    created_on: str


class Profile(TypedDict):
    """A person, or a contact of a space."""

    profile_id: int
    user_id: int | None
    name: str
    type: str  # user | space
    link: str
    external_id: str | None
    space_id: int | None
    rights: list[str]
    mail: list[str] | None
    phone: NotRequired[list[str] | None]
    title: NotRequired[list[str] | None]
    organization: NotRequired[str | None]
    address: NotRequired[list[str] | None]
    city: NotRequired[str | None]
    zip: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]
    birthdate: NotRequired[str | None]
    about: NotRequired[str | None]
    url: NotRequired[list[str] | None]


class Member(TypedDict):
    """Somebody in a space."""

    profile: Profile
    role: str  # admin | regular | light
    rights: list[str]
    user: NotRequired[User]


class Space(TypedDict):
    """A space."""

    space_id: int
    org_id: int
    name: str
    url: str
    url_label: str
    privacy: str  # open | closed
    role: str
    rights: list[str]
    created_on: str
    created_by: NotRequired[Byline]


class NewSpace(TypedDict):
    """The space that was made."""

    space_id: int
    url: str


class Org(TypedDict):
    """An organization."""

    org_id: int
    name: str
    url: str
    url_label: str
    role: str
    rights: list[str]
    created_on: str
    spaces: NotRequired[list[Space]]


# --- apps and items ----------------------------------------------------------------------------------------------------


class FieldConfig(TypedDict):
    """How a field is set up."""

    label: str
    description: str | None
    settings: dict[str, Any] | None
    required: bool
    delta: int
    mapping: str | None


class Field(TypedDict):
    """A field of an app."""

    field_id: int
    external_id: str
    type: str
    label: str
    status: str  # active | deleted
    config: FieldConfig


class ItemField(Field):
    """A field, with the values that an item has for it."""

    values: list[dict[str, Any]]


class App(TypedDict):
    """An app. `token` is what it signs in with: a secret, and answered to its admins alone."""

    app_id: int
    space_id: int
    status: str  # active | inactive
    config: dict[str, Any]
    fields: list[Field]
    rights: list[str]
    link: str
    url_label: str
    token: NotRequired[str]


class NewApp(TypedDict):
    """The app that was made."""

    app_id: int


class NewField(TypedDict):
    """The field that was made."""

    field_id: int


class Defined(TypedDict):
    """The revision of an app's definition, after a change."""

    revision: int


class Revision(Made):
    """One state of an item. `revision` is its number within the item, from 0, and what events carry."""

    revision: int
    item_revision_id: int
    app_revision: int
    type: str  # creation | update | delete


Difference = TypedDict(
    "Difference",
    {"field_id": int, "external_id": str, "type": str, "label": str, "from": list[dict[str, Any]], "to": list[dict[str, Any]]},
)
"""How one field differs between two revisions."""


class ItemApp(TypedDict):
    """What an item says of its app."""

    app_id: int
    config: dict[str, Any]


class Changed(TypedDict):
    """What has become of an item."""

    revision: int
    title: str


class Count(TypedDict):
    """How many there are."""

    count: int


class Deleted(TypedDict):
    """The items that a bulk deletion deleted, and those that it will."""

    deleted: list[int]
    pending: list[int]


class Tag(TypedDict):
    """A tag, and how many items have it."""

    text: str
    count: int


# --- what hangs on them ------------------------------------------------------------------------------------------------


class File(Made):
    """A file."""

    file_id: int
    name: str
    description: str | None
    mimetype: str
    size: int  # bytes
    link: str
    hosted_by: str
    context: dict[str, Any] | None
    rights: list[str]
    replaces: list[File]


class NewFile(TypedDict):
    """The file that was made."""

    file_id: int


class Comment(Made):
    """A comment."""

    comment_id: int
    value: str
    rich_value: str
    external_id: str | None
    ref: dict[str, Any]
    files: list[File]
    embed: dict[str, Any] | None
    rights: list[str]


class Label(TypedDict):
    """A label of a task."""

    label_id: int
    text: str
    color: str


class Task(Made):
    """A task."""

    task_id: int
    text: str
    description: str | None
    status: str  # active | completed | deleted
    private: bool
    due_date: str | None  # YYYY-MM-DD
    due_time: str | None  # HH:MM:SS
    due_on: str | None
    responsible: Profile | None
    space_id: int | None
    ref: dict[str, Any] | None
    link: str
    external_id: str | None
    labels: list[Label]
    reminder: dict[str, Any] | None
    files: list[File]
    comments: list[Comment]
    completed_on: str | None
    completed_by: Byline | None


class Completed(TypedDict):
    """The task that comes next, where a task comes again."""

    recurring_task_id: int | None


class Status(Made):
    """A status message of a space."""

    status_id: int
    value: str
    rich_value: str
    link: str
    embed: dict[str, Any] | None
    files: list[File]
    comments: list[Comment]
    tasks: list[Task]
    questions: list[dict[str, Any]]
    rights: list[str]


class Form(TypedDict):
    """A web form of an app."""

    form_id: int
    app_id: int
    space_id: int
    status: str  # active | disabled
    settings: dict[str, Any]
    domains: list[str]
    fields: list[dict[str, Any]]
    attachments: bool
    created_on: str
    created_by: Byline


class NewForm(TypedDict):
    """The form that was made."""

    form_id: int


class Item(Made):
    """An item, with its values and who made it."""

    item_id: int
    app_item_id: int
    external_id: str | None
    title: str
    link: str
    rights: list[str]
    app: ItemApp
    fields: list[ItemField]
    tags: list[str]
    files: list[File]
    comments: list[Comment]
    tasks: list[Task]
    comment_count: int
    file_count: int
    task_count: int
    initial_revision: Revision
    current_revision: Revision
    last_event_on: str


class ItemPage(TypedDict):
    """Some of the items of an app: it has `total`, and `filtered` of them match."""

    total: int
    filtered: int
    items: list[Item]
