"""Who may come in: users, the API clients they use, and what was given to them to show at the door."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from tidings.store.schema.columns import id_column, metadata, moment, ref

users = Table(
    "users",
    metadata,
    id_column("user_id"),
    Column("username", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    moment("created_at"),
)

clients = Table(
    "clients",
    metadata,
    # An API client: what asks for tokens. `client_id` is the text users see, `auth_client_id` the number in answers.
    id_column("auth_client_id"),
    Column("client_id", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text),
    ref("user_id", "users.user_id", null=True),
    Column("domains", Text, nullable=False, server_default="[]"),  # JSON list of `host[:port]`: where codes and tokens may be sent back to
    Column("calls_per_hour", Integer),  # null: the server's setting; 0: no limit
    Column("limited_calls_per_hour", Integer),  # the same for the operations that are marked as rate-limited
    moment("created_at"),
    moment("deleted_at", null=True),
)

tokens = Table(
    "tokens",
    metadata,
    id_column("token_id"),
    Column("access_hash", LargeBinary, nullable=False, unique=True),
    Column("refresh_hash", LargeBinary, nullable=False, unique=True),
    ref("auth_client_id", "clients.auth_client_id"),
    Column("ref_type", Text, nullable=False),  # user | app
    Column("ref_id", Integer, nullable=False),
    Column("scope", Text, nullable=False, server_default="global:all"),
    # The first pair that this one came from by refreshing, over however many steps; 0: it is that first one.
    Column("family_id", Integer, nullable=False, server_default="0", index=True),
    moment("created_at"),
    moment("expires_at"),
    moment("refresh_expires_at"),
    moment("revoked_at", null=True),
)

auth_codes = Table(
    "auth_codes",
    metadata,
    # What a browser carries from the consent page to the client, which changes it for tokens, once (RFC 6749, RFC 7636).
    id_column("auth_code_id"),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    ref("auth_client_id", "clients.auth_client_id"),
    ref("user_id", "users.user_id"),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("challenge", Text),
    Column("challenge_method", Text),  # S256 | plain
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", null=True),
    Column("token_id", Integer),  # the pair it was changed for, whose family a second use revokes; no foreign key, as tokens are pruned
)

sessions = Table(
    "sessions",
    metadata,
    # Who is signed in with a browser.
    id_column("session_id"),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    ref("user_id", "users.user_id", index=True),
    moment("created_at"),
    moment("expires_at"),
    moment("ended_at", null=True),
)
