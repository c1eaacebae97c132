"""Contract §3 rule 9: a socket ends with its token: a word before, 4001 at the end, 4500 when it was taken away."""

import asyncio
import time
from datetime import datetime

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.api import PASSWORD, TIME, Api, admin, create_user, direct, login, post_message
from harness.client import Client
from harness.server import ADMIN_PASSWORD, Server, wattloop

WARNING = 30


@pytest.fixture(scope="module")
def own(program, tmp_path_factory):
    """Several tests share it: none of them stops it."""
    running = Server(tmp_path_factory.mktemp("tokens") / "data", "--rate-limit", "off").start()
    yield running
    running.kill()


@pytest.fixture
def boss(own):
    return admin(own)


def token(server, user, ttl) -> str:
    done = wattloop("token", user.username, "--data", server.data, "--ttl", ttl)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def seconds(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def warnings(client) -> list:
    return [one for one in client.of("error") if one["problem"] == "/problems/token-expiring"]


async def test_the_end_is_announced_thirty_seconds_before(own, boss):
    """One `error` without an id that says when; requests go on being answered."""
    ann = create_user(boss, "ann")
    client = await Client.open(own, token(own, ann, "32s"))
    await client.settle()
    assert warnings(client) == []
    warning = await client.expect("error", timeout=4)
    assert "id" not in warning and "retry_after_ms" not in warning
    assert (warning["problem"], warning["status"], warning["temporary"]) == ("/problems/token-expiring", 401, True)
    assert warning["title"] and warning["detail"] and TIME.fullmatch(warning["expires_at"])
    now = (await client.ok("ping"))["server_time"]
    assert WARNING - 2 < seconds(warning["expires_at"], now) <= WARNING + 1
    assert len(warnings(client)) == 1
    await client.close()


async def test_a_short_token_is_announced_at_once_and_ends_with_4001(own, boss):
    ann = create_user(boss, "ann")
    began = time.monotonic()
    client = await Client.open(own, token(own, ann, "3s"))
    warning = await client.expect("error", timeout=1)
    assert warning["problem"] == "/problems/token-expiring"
    assert 0 < seconds(warning["expires_at"], client.hello["server_time"]) <= 3
    assert await client.closed(timeout=6) == 4001
    assert 1.5 < time.monotonic() - began < 5
    assert len(warnings(client)) == 1


async def test_a_refresh_keeps_the_socket_and_its_place(own, boss):
    """The answer says the new end; the socket outlives the old one, and misses nothing."""
    ann, bob = create_user(boss, "ann"), create_user(boss, "bob")
    conversation = direct(ann, bob)
    client = await Client.open(own, token(own, ann, "2s"))
    await client.expect("error", timeout=1)
    ok = await client.ok("refresh", token=token(own, ann, "1h"))
    assert TIME.fullmatch(ok["expires_at"])
    assert 3500 < seconds(ok["expires_at"], client.hello["server_time"]) < 3700
    await asyncio.sleep(2.5)
    post_message(bob, conversation, "still there?")
    assert (await client.expect("message"))["text"] == "still there?"
    assert client.close_code is None and len(warnings(client)) == 1
    await client.close()


async def test_a_refresh_with_a_short_token_is_announced_again(own, boss):
    ann = create_user(boss, "ann")
    client = await Client.open(own, token(own, ann, "2s"))
    await client.expect("error", timeout=1)
    ok = await client.ok("refresh", token=token(own, ann, "4s"))
    again = await client.expect("error", timeout=1)
    assert again["expires_at"] == ok["expires_at"]
    began = time.monotonic()
    assert await client.closed(timeout=6) == 4001
    assert time.monotonic() - began > 2, "it lived as long as the second"


async def test_the_tokens_that_log_in_gives_refresh_a_socket(serve):
    """`--access-ttl`: POST /auth/refresh, then `refresh` on the socket, as a client program does."""
    running = serve("--access-ttl", "3s")
    answer = Api(running).login("admin", ADMIN_PASSWORD).json()
    client = await Client.open(running, answer["access_token"])
    await client.expect("error", timeout=1)
    renewed = Api(running).post("/auth/refresh", {"refresh_token": answer["refresh_token"]}).json()
    await client.ok("refresh", token=renewed["access_token"])
    await asyncio.sleep(1)
    assert client.close_code is None
    assert await client.closed(timeout=6) == 4001


@pytest.mark.parametrize("case", ["another's", "junk", "none", "number", "device key"])
async def test_a_token_that_is_not_good_changes_nothing(own, boss, case):
    """The refresh is refused and the socket lives on with the token that it has."""
    ann, bob = create_user(boss, "ann"), create_user(boss, "bob")
    client = await Client.open(own, ann.token)
    fields = {
        "another's": {"token": bob.token},
        "junk": {"token": "abc.def.ghi"},
        "none": {},
        "number": {"token": 5},
        "device key": {"token": "wlk_" + "A" * 43},
    }[case]
    answer = await client.problem("refresh", **fields)
    assert answer["status"] in (400, 401, 403, 422)
    await client.ok("ping")
    assert client.close_code is None
    await client.close()


@pytest.mark.parametrize("way", ["log-out", "own password", "password by the administrator", "disabled", "deleted"])
async def test_what_takes_a_token_away_ends_its_sockets_with_4500(own, boss, way):
    """At once, for every session it concerns, in the middle of whatever they do; a reconnect is refused."""
    ann, bob = create_user(boss, "ann"), create_user(boss, "bob")
    conversation = direct(ann, bob)
    client, other = await Client.open(own, ann.token), await Client.open(own, bob.token)
    waiting = [
        await client.begin("send", conversation=conversation, text=f"{n}", key=f"{way} {n}") for n in range(50)
    ]
    began = time.monotonic()
    match way:
        case "log-out":
            answer = await asyncio.to_thread(ann.api.post, "/auth/logout")
        case "own password":
            body = {"password": "another horse battery", "current_password": PASSWORD}
            answer = await asyncio.to_thread(ann.api.request, "PATCH", "/users/me", json=body)
        case "password by the administrator":
            body = {"password": "another horse battery"}
            answer = await asyncio.to_thread(boss.api.request, "PATCH", f"/users/{ann.id}", json=body)
        case "disabled":
            answer = await asyncio.to_thread(boss.api.request, "PATCH", f"/users/{ann.id}", json={"disabled": True})
        case "deleted":
            answer = await asyncio.to_thread(boss.api.request, "DELETE", f"/users/{ann.id}")
    if way == "password by the administrator" and answer.status_code in (403, 422):
        await client.close()
        await other.close()
        pytest.skip("an administrator sets no passwords here")
    assert answer.status_code in (200, 204), answer.text
    assert await client.closed(timeout=2) == 4500
    assert time.monotonic() - began < 3
    post_message(bob, conversation, "are you there?")
    assert all(one["text"] != "are you there?" for one in client.of("message"))
    await other.ok("ping")
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    acked = [one for one in answers if isinstance(one, dict) and one["type"] == "ok"]
    stored = bob.api.get(f"/conversations/{conversation}/messages", params={"limit": 500}).json()["items"]
    assert {one["seq"] for one in acked} <= {one["seq"] for one in stored}
    with pytest.raises(InvalidStatus) as refused:
        await Client.open(own, ann.token)
    assert refused.value.response.status_code == 401
    await other.close()


async def test_a_disabled_user_who_is_let_in_again_is(own, boss):
    ann = create_user(boss, "ann")
    client = await Client.open(own, ann.token)
    assert boss.api.request("PATCH", f"/users/{ann.id}", json={"disabled": True}).status_code == 200
    assert await client.closed(timeout=2) == 4500
    assert boss.api.request("PATCH", f"/users/{ann.id}", json={"disabled": False}).status_code == 200
    client = await Client.open(own, login(own, ann.username, PASSWORD).token)
    await client.ok("ping")
    await client.close()


async def test_an_ended_socket_takes_nothing_more(own, boss):
    """What is sent behind the end of the token is not done."""
    ann, bob = create_user(boss, "ann"), create_user(boss, "bob")
    conversation = direct(ann, bob)
    client = await Client.open(own, token(own, ann, "1s"))
    last = None
    with pytest.raises((ConnectionError, ConnectionClosed)):
        for number in range(10_000):
            last = (await client.send(conversation, f"{number}"))["seq"]
            await asyncio.sleep(0.02)
    assert await client.closed(timeout=3) == 4001
    stored = bob.api.get(f"/conversations/{conversation}/messages", params={"limit": 500}).json()["items"]
    assert last and last <= len(stored) <= last + 1
