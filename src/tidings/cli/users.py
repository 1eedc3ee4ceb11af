"""`tidings user`: people, made and listed by the operator. Who signs in can then do the rest in the console.

A password is asked for, or read from standard input: on the command line, every process of the machine could read it.
"""

from __future__ import annotations

import getpass
import sys

from tidings.cli.writing import print_rows, write
from tidings.clock import system_clock
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller
from tidings.workspace.accounts.passwords import LONGEST, hash_password
from tidings.workspace.accounts.users import create_user, list_users
from tidings.workspace.orgs import create_org

SHORTEST = 8  # characters of a password


def add_user(settings: Settings, username: str, name: str, *, org: str | None, password_from_stdin: bool, as_json: bool) -> None:
    """Make a person, and the organization `org` with them as its admin. Raises `Invalid`, and `Conflict` for a name that is taken."""
    password = _read_password(from_stdin=password_from_stdin)
    made = write(settings, _make, username, hash_password(password), name, org, now=system_clock())
    print_rows([made], as_json=as_json, alone=True)


def print_users(settings: Settings, *, as_json: bool) -> None:
    """Everybody, in the order in which they were made."""
    people = write(settings, list_users)
    rows = [{"user_id": p.user_id, "username": p.username, "name": p.name, "created_on": timestamp(p.created_at)} for p in people]
    print_rows(rows, as_json=as_json)


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise Invalid("the two passwords are not the same")
    else:
        raise Invalid("a password is asked for on a terminal; give --password-stdin to have it read from standard input")
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters")
    return password


def _make(tx: Tx, username: str, password_hash: str, name: str, org: str | None, *, now: int) -> dict[str, object]:
    user = create_user(tx, username, password_hash, name, now=now)
    made: dict[str, object] = {"user_id": user.user_id, "username": user.username, "name": user.name}
    return made if org is None else {**made, "org_id": create_org(tx, Caller("user", user.user_id), org, now=now).org_id}
