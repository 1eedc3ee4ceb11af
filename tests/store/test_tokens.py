"""Tokens and codes, on both engines: what is used once, what a second use kills, and what goes with a client."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest

from tests.support.databases import AnyDatabase
from tests.support.world import KEYRING, NOW, SECOND, World, make_world
from tidings.errors import Gone, Invalid, InvalidClient, InvalidGrant, InvalidScope, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.accounts.auth_codes import CODE_LIFE, Challenge, exchange_code, find_code_user, give_code, is_answer, read_challenge
from tidings.workspace.accounts.clients import (
    MOST_CLIENTS,
    ClientChange,
    NewClient,
    check_client,
    create_client,
    delete_client,
    get_client,
    list_clients,
    renew_secret,
    update_client,
)
from tidings.workspace.accounts.sessions import begin_session, find_session
from tidings.workspace.accounts.tokens import (
    RACE,
    Exchange,
    Lives,
    TokenPair,
    check_app_token,
    find_holder,
    find_refresher,
    hash_token,
    issue,
    prune_tokens,
    renew_app_token,
    revoke,
    rotate,
)

LIVES = Lives(28_800, 2_419_200)
BACK = "https://a.example/back"
VERIFIER = "v" * 43
S256 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def move_in(tx: Tx) -> tuple[World, NewClient, Caller]:
    world = make_world(tx)
    client = create_client(tx, "A client", now=NOW, user_id=world.user.id, domains=["a.example"])
    return world, client, Caller("user", world.user.id, client.auth_client_id)


async def is_alive(database: AnyDatabase, pair: TokenPair, now: int = NOW) -> bool:
    return await database.read(find_holder, hash_token(pair.access_token), now=now) is not None


def given(exchange: Exchange) -> TokenPair:
    assert exchange.pair is not None
    return exchange.pair


# --- families ----------------------------------------------------------------------------------------------------------


async def test_a_refreshed_pair_keeps_its_family_and_its_scope(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    first = await database.write(issue, caller, now=NOW, lives=LIVES, scope="app:read")
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
    third = given(await database.write(rotate, client.auth_client_id, second.refresh_token, now=NOW, lives=LIVES))
    holder = await database.read(find_holder, hash_token(third.access_token), now=NOW)
    assert holder is not None
    assert (holder.caller, holder.scope) == (caller, "app:read")
    assert [await is_alive(database, pair) for pair in (first, second, third)] == [False, False, True]


async def test_a_refresh_token_that_is_used_again_later_kills_its_whole_family(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    other = await database.write(issue, caller, now=NOW, lives=LIVES)
    first = await database.write(issue, caller, now=NOW, lives=LIVES)
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
    third = given(await database.write(rotate, client.auth_client_id, second.refresh_token, now=NOW, lives=LIVES))
    again = await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW + RACE, lives=LIVES)
    assert (again.pair, again.dead) == (None, [hash_token(third.access_token)])
    assert not await is_alive(database, third)
    assert (await database.write(rotate, client.auth_client_id, third.refresh_token, now=NOW, lives=LIVES)).pair is None
    assert await is_alive(database, other)


async def test_two_who_refresh_at_once_are_no_theft(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    first = await database.write(issue, caller, now=NOW, lives=LIVES)
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
    again = await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW + RACE - 1, lives=LIVES)
    assert again == Exchange(None, [])
    assert await is_alive(database, second)


async def test_another_clients_use_of_a_used_token_kills_nothing(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    other = await database.write(create_client, "Other", now=NOW)
    first = await database.write(issue, caller, now=NOW, lives=LIVES)
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
    assert await database.write(rotate, other.auth_client_id, first.refresh_token, now=NOW + RACE, lives=LIVES) == Exchange(None, [])
    assert await is_alive(database, second)


async def test_a_theft_and_a_refresh_at_the_same_time_leave_no_pair_alive(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    first = await database.write(issue, caller, now=NOW, lives=LIVES)
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
    later = NOW + RACE
    exchanges = await asyncio.gather(
        database.write(rotate, client.auth_client_id, second.refresh_token, now=later, lives=LIVES),
        database.write(rotate, client.auth_client_id, first.refresh_token, now=later, lives=LIVES),
    )
    pairs = [exchange.pair for exchange in exchanges if exchange.pair is not None]
    assert [await is_alive(database, pair) for pair in [second, *pairs]] == [False] * (1 + len(pairs))


async def test_a_refresh_may_ask_for_less(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    first = await database.write(issue, caller, now=NOW, lives=LIVES, scope="app:all")
    with pytest.raises(InvalidScope):
        await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES, scope="global:all")
    second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES, scope="app:read"))
    assert second.scope == "app:read"


async def test_either_token_of_a_pair_revokes_its_family(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    for which in ("access_token", "refresh_token"):
        first = await database.write(issue, caller, now=NOW, lives=LIVES)
        second = given(await database.write(rotate, client.auth_client_id, first.refresh_token, now=NOW, lives=LIVES))
        dead = await database.write(revoke, client.auth_client_id, getattr(second, which), now=NOW)
        assert dead == [hash_token(second.access_token)]
        assert not await is_alive(database, second)
        assert await database.write(revoke, client.auth_client_id, getattr(second, which), now=NOW) == []


async def test_only_its_own_client_can_revoke_a_token(database: AnyDatabase) -> None:
    _, _, caller = await database.write(move_in)
    other = await database.write(create_client, "Other", now=NOW)
    pair = await database.write(issue, caller, now=NOW, lives=LIVES)
    assert await database.write(revoke, other.auth_client_id, pair.access_token, now=NOW) == []
    assert await database.write(revoke, other.auth_client_id, "unknown", now=NOW) == []
    assert await is_alive(database, pair)


async def test_who_would_refresh_is_told_only_while_the_token_is_good(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    pair = await database.write(issue, caller, now=NOW, lives=LIVES)
    number = client.auth_client_id
    assert await database.read(find_refresher, number, pair.refresh_token, now=NOW) == caller
    assert await database.read(find_refresher, number + 1, pair.refresh_token, now=NOW) is None
    await database.write(revoke, number, pair.refresh_token, now=NOW)
    assert await database.read(find_refresher, number, pair.refresh_token, now=NOW) is None


# --- codes -------------------------------------------------------------------------------------------------------------


async def change(
    database: AnyDatabase, client: NewClient, code: str, *, back: str = BACK, verifier: str = "", now: int = NOW
) -> TokenPair | None:
    return (await database.write(exchange_code, client.auth_client_id, code, back, verifier, now=now, lives=LIVES)).pair


async def test_a_code_is_good_once_and_a_second_use_kills_what_the_first_gave(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    code = await database.write(give_code, caller, BACK, "app:read", None, now=NOW)
    assert await database.read(find_code_user, client.auth_client_id, code) == caller
    pair = await change(database, client, code)
    assert pair is not None
    assert (pair.caller, pair.scope) == (caller, "app:read")
    later = given(await database.write(rotate, client.auth_client_id, pair.refresh_token, now=NOW, lives=LIVES))
    again = await database.write(exchange_code, client.auth_client_id, code, BACK, "", now=NOW + 1, lives=LIVES)
    assert again == Exchange(None, [hash_token(later.access_token)])
    assert not await is_alive(database, later)


async def test_of_two_who_change_a_code_at_once_one_gets_a_pair_and_it_is_dead(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    code = await database.write(give_code, caller, BACK, "global:all", None, now=NOW)
    pairs = [pair for pair in await asyncio.gather(*(change(database, client, code) for _ in range(4))) if pair is not None]
    assert len(pairs) == 1
    assert not await is_alive(database, pairs[0])


async def test_a_code_is_for_its_client_its_redirect_uri_and_ten_minutes(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    other = await database.write(create_client, "Other", now=NOW)
    code = await database.write(give_code, caller, BACK, "global:all", None, now=NOW)
    assert await change(database, other, code) is None
    assert await change(database, client, code, back=BACK + "/") is None
    assert await change(database, client, code + "0") is None
    assert await change(database, client, code, now=NOW + CODE_LIFE) is None
    assert await change(database, client, code, now=NOW + CODE_LIFE - 1) is not None


async def test_a_challenge_must_be_answered(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    for challenge in (Challenge(S256, "S256"), Challenge(VERIFIER, "plain")):
        code = await database.write(give_code, caller, BACK, "global:all", challenge, now=NOW)
        for wrong in ("", "w" * 43, S256 if challenge.method == "S256" else "x" * 43, VERIFIER + "v", "v" * 42):
            assert await change(database, client, code, verifier=wrong) is None
        assert await change(database, client, code, verifier=VERIFIER) is not None


async def test_a_verifier_without_a_challenge_is_a_downgrade(database: AnyDatabase) -> None:
    _, client, caller = await database.write(move_in)
    code = await database.write(give_code, caller, BACK, "global:all", None, now=NOW)
    assert await change(database, client, code, verifier=VERIFIER) is None


def test_the_challenge_of_the_specification_is_answered() -> None:  # RFC 7636, appendix B
    challenge = read_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256")
    assert is_answer("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge)
    assert read_challenge("x" * 43, "") == Challenge("x" * 43, "plain")
    assert read_challenge("", "") is None


@pytest.mark.parametrize(
    ("text", "method"),
    [("", "S256"), ("x" * 42, "S256"), ("x" * 44, "S256"), ("x" * 42, "plain"), ("x" * 129, ""), ("é" * 43, ""), ("x" * 43, "s256")],
)
def test_a_challenge_that_is_none_is_refused(text: str, method: str) -> None:
    with pytest.raises(Invalid, match="code_challenge"):
        read_challenge(text, method)


# --- clients -----------------------------------------------------------------------------------------------------------


async def test_a_deleted_client_takes_its_tokens_and_codes_with_it(database: AnyDatabase) -> None:
    world, client, caller = await database.write(move_in)
    pair = await database.write(issue, caller, now=NOW, lives=LIVES)
    code = await database.write(give_code, caller, BACK, "global:all", None, now=NOW)
    await database.write(delete_client, world.user, client.auth_client_id, now=NOW)
    assert not await is_alive(database, pair)
    assert await change(database, client, code) is None
    assert (await database.write(rotate, client.auth_client_id, pair.refresh_token, now=NOW, lives=LIVES)).pair is None
    with pytest.raises(InvalidClient):
        await database.read(check_client, client.client_id, client.client_secret)
    with pytest.raises(Gone):
        await database.read(get_client, world.user, client.auth_client_id)
    assert await database.read(list_clients, world.user) == []


async def test_a_token_given_while_its_client_was_deleted_is_dead(database: AnyDatabase) -> None:
    world, client, caller = await database.write(move_in)
    await database.write(delete_client, world.user, client.auth_client_id, now=NOW)
    assert not await is_alive(database, await database.write(issue, caller, now=NOW, lives=LIVES))


async def test_a_client_is_its_makers_alone(database: AnyDatabase) -> None:
    world, client, _ = await database.write(move_in)
    other = (await database.write(make_world, "two")).user
    assert [each.auth_client_id for each in await database.read(list_clients, world.user)] == [client.auth_client_id]
    assert [each.auth_client_id for each in await database.read(list_clients, SYSTEM)] == [client.auth_client_id]
    assert await database.read(list_clients, other) == []
    with pytest.raises(NotFound):
        await database.read(get_client, other, client.auth_client_id)
    for fn in (renew_secret, get_client):
        with pytest.raises(NotFound):
            await database.write(fn, other, client.auth_client_id)
    with pytest.raises(NotFound):
        await database.write(delete_client, other, client.auth_client_id, now=NOW)


async def test_a_renewed_secret_ends_the_old_one_and_no_token(database: AnyDatabase) -> None:
    world, client, caller = await database.write(move_in)
    pair = await database.write(issue, caller, now=NOW, lives=LIVES)
    renewed = await database.write(renew_secret, world.user, client.auth_client_id)
    assert (await database.read(check_client, client.client_id, renewed.client_secret)).auth_client_id == client.auth_client_id
    with pytest.raises(InvalidClient, match="secret"):
        await database.read(check_client, client.client_id, client.client_secret)
    assert await is_alive(database, pair)


async def test_a_renewed_app_token_ends_the_old_one_and_what_was_given_for_it(database: AnyDatabase) -> None:
    world, client, user = await database.write(move_in)
    app = Caller("app", world.app_id, client.auth_client_id)
    old = await database.write(renew_app_token, user, KEYRING, world.app_id, now=NOW)
    mine, others = await database.write(issue, app, now=NOW, lives=LIVES), await database.write(issue, user, now=NOW, lives=LIVES)
    new = await database.write(renew_app_token, user, KEYRING, world.app_id, now=NOW)
    await database.read(check_app_token, KEYRING, world.app_id, new)
    with pytest.raises(InvalidGrant):
        await database.read(check_app_token, KEYRING, world.app_id, old)
    assert not await is_alive(database, mine)
    assert await database.read(find_refresher, client.auth_client_id, mine.refresh_token, now=NOW) is None
    assert await is_alive(database, others)
    with pytest.raises(NotFound):
        await database.write(renew_app_token, Caller("user", 99), KEYRING, world.app_id, now=NOW)


async def test_what_is_not_named_of_a_client_stays(database: AnyDatabase) -> None:
    world, client, _ = await database.write(move_in)
    before = await database.read(get_client, world.user, client.auth_client_id)
    await database.write(update_client, world.user, client.auth_client_id, ClientChange())
    assert await database.read(get_client, world.user, client.auth_client_id) == before
    await database.write(
        update_client, world.user, client.auth_client_id, ClientChange(name="New", domains=["B.example"], calls_per_hour=7)
    )
    after = await database.read(get_client, world.user, client.auth_client_id)
    assert (after.name, after.domains, after.calls_per_hour, after.limited_calls_per_hour) == ("New", ["b.example"], 7, None)


async def test_a_client_that_makes_no_sense_is_refused(database: AnyDatabase, subtests: pytest.Subtests) -> None:
    cases: list[dict[str, object]] = [
        {"name": " "},
        {"name": "x" * 256},
        {"url": "javascript:alert(1)"},
        {"url": "https://a b"},
        {"url": "https://" + "x" * 2000},
        {"domains": ["https://x"]},
        {"calls_per_hour": -1},
        {"limited_calls_per_hour": 2**31},
    ]
    for wrong in cases:
        with subtests.test(wrong=wrong), pytest.raises(Invalid, match=next(iter(wrong))):
            await database.write(create_client, **{"name": "A", "now": NOW, **wrong})  # type: ignore[arg-type]  # on purpose


async def test_there_is_an_end_to_a_users_clients(database: AnyDatabase) -> None:
    world, _, _ = await database.write(move_in)

    def fill(tx: Tx) -> None:
        for number in range(MOST_CLIENTS - 1):
            create_client(tx, f"Client {number}", now=NOW, user_id=world.user.id)

    await database.write(fill)
    with pytest.raises(Invalid, match=f"at most {MOST_CLIENTS}"):
        await database.write(create_client, "One more", now=NOW, user_id=world.user.id)


# --- what is kept ------------------------------------------------------------------------------------------------------


async def test_pairs_codes_and_sessions_are_pruned_a_day_after_their_end(database: AnyDatabase) -> None:
    world, _, caller = await database.write(move_in)
    day = 86_400 * SECOND
    await database.write(give_code, caller, BACK, "global:all", None, now=NOW)
    token = await database.write(begin_session, world.user.id, "", now=NOW)
    await database.write(issue, caller, now=NOW, lives=LIVES)
    assert await database.write(prune_tokens, now=NOW + day) == 0
    assert await database.read(find_session, token, now=NOW) is not None
    assert await database.write(prune_tokens, now=NOW + 2 * day) == 2
    assert await database.write(prune_tokens, now=NOW + 30 * day) == 1
