"""A socket ends with its token: it is warned, may show a new one, and is closed with 4001 if it does not."""

import asyncio

from harness.api import TIME, admin, create_user, direct
from harness.client import Client


async def test_a_socket_is_warned_and_ends_with_its_token(serve):
    server = serve("--access-ttl", "2s")
    alice = create_user(admin(server), "alice")
    session = await Client.open(server, alice.token)
    warning = await session.expect("error", timeout=2)
    assert "id" not in warning
    assert warning["problem"] == "/problems/token-expiring" and warning["status"] == 401
    assert warning["temporary"] is True and TIME.fullmatch(warning["expires_at"])
    assert await session.closed() == 4001


async def test_the_warning_comes_thirty_seconds_before(serve):
    server = serve("--access-ttl", "32s")
    session = await Client.open(server, create_user(admin(server), "alice").token)
    await session.settle()
    assert session.of("error") == [], "more than thirty seconds are left"
    await session.expect("error", timeout=4, problem="/problems/token-expiring")
    await session.close()


async def test_a_new_token_keeps_the_socket_and_what_it_hears(serve):
    server = serve("--access-ttl", "3s")
    administrator = admin(server)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    pair = direct(alice, bob)
    session = await Client.open(server, alice.token)
    for _ in range(3):
        await asyncio.sleep(1.5)
        token = alice.api.login(alice.username, alice.password).json()["access_token"]
        answer = await session.ok("refresh", token=token)
        assert TIME.fullmatch(answer["expires_at"])
    others = bob.api.login(bob.username, bob.password).json()["access_token"]
    sender = await Client.open(server, others)
    await sender.send(pair, "still here?")
    await session.expect("message", text="still here?")
    await session.problem("refresh", "forbidden", token=others)
    await session.problem("refresh", "unauthorized", token="nonsense")
    assert await session.closed() == 4001, "a refused token changes nothing"
    await sender.close()
