"""Contract §3 rule 8: who types, and who is there. Neither has a position, and neither is kept."""

import asyncio
import time

import pytest

from harness.api import TIME, Api, User, admin, create_user, direct, group, login, post_message
from harness.chat import add, remove
from harness.client import Client
from harness.server import wattloop

TYPING = 6.0
GONE = 1.0


def states(client, of) -> list:
    return [event["state"] for event in client.of("presence") if event["user"] == of.id]


async def typing(client, conversation, active=True):
    assert set(await client.ok("typing", conversation=conversation, active=active)) == {"type", "id"}


# Typing


async def test_the_other_members_are_told_and_not_oneself(connect, alice, bob, person):
    carol, stranger = person("carol"), await connect(person("stranger"))
    conversation = group(alice, bob, carol)
    phone, laptop = await connect(alice), await connect(alice)
    others = [await connect(bob), await connect(bob), await connect(carol)]
    assert phone.hello["typing_ms"] == TYPING * 1000
    await typing(phone, conversation)
    for session in others:
        assert await session.expect("typing") == {
            "type": "typing", "conversation": conversation, "user": alice.id, "active": True}
    await typing(phone, conversation, False)
    for session in others:
        assert (await session.expect("typing"))["active"] is False
    for session in (phone, laptop, stranger):
        await session.settle()
        assert session.of("typing") == []


async def test_a_mark_ends_with_the_users_message(connect, alice, bob):
    """`active: false` comes with the message, over the socket or REST, from any session of the user."""
    conversation = direct(alice, bob)
    phone, laptop, his = await connect(alice), await connect(alice), await connect(bob)
    for way in ("same", "other", "rest"):
        await typing(phone, conversation)
        await his.expect("typing", active=True)
        began = time.monotonic()
        if way == "rest":
            post_message(alice, conversation, way)
        else:
            await (phone if way == "same" else laptop).send(conversation, way)
        await his.expect("message", text=way)
        await his.expect("typing", active=False)
        assert time.monotonic() - began < 2
    await his.settle()
    assert [one["active"] for one in his.of("typing")] == [True, False] * 3


async def test_anothers_message_ends_no_mark(connect, alice, bob, person):
    carol = person("carol")
    conversation, elsewhere = group(alice, bob, carol), direct(alice, bob)
    hers, his, theirs = await connect(alice), await connect(bob), await connect(carol)
    await typing(hers, conversation)
    await his.expect("typing", active=True)
    await theirs.send(conversation, "not mine")
    await hers.send(elsewhere, "mine, in another place")
    await his.expect("message", text="mine, in another place")
    await his.settle()
    assert [one["active"] for one in his.of("typing")] == [True]


async def test_a_mark_lives_six_seconds_and_a_new_one_goes_on(connect, alice, bob, person):
    """Told once more, the mark lives from then on; then `active: false` is sent."""
    one, other = direct(alice, bob), group(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    began = time.monotonic()
    await typing(hers, one)
    await typing(hers, other)
    await asyncio.sleep(2)
    await typing(hers, other)
    await his.expect("typing", conversation=one, active=False, timeout=8)
    assert TYPING - 0.2 < time.monotonic() - began < TYPING + 1.5
    await his.expect("typing", conversation=other, active=False, timeout=8)
    assert TYPING + 1.8 < time.monotonic() - began < TYPING + 3.5


async def test_a_mark_ends_when_the_session_is_gone_or_by_its_time(connect, alice, bob, server):
    """Nobody types for ever, however the connection ended."""
    conversation = direct(alice, bob)
    his = await connect(bob)
    hers = await Client.open(server, alice.token)
    await typing(hers, conversation)
    await his.expect("typing", active=True)
    hers.connection.transport.abort()
    await his.expect("typing", active=False, timeout=TYPING + 1.5)


@pytest.mark.parametrize("fields", [{}, {"active": "yes"}, {"active": 1}, {"active": None}], ids=str)
async def test_a_wrong_mark_is_refused(connect, alice, bob, fields):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    await hers.problem("typing", "validation", conversation=conversation, **fields)
    await his.settle()
    assert his.of("typing") == []


async def test_strangers_types_are_not_found(connect, alice, bob, person):
    conversation = direct(alice, bob)
    theirs, his = await connect(person("stranger")), await connect(bob)
    await theirs.problem("typing", "not-found", conversation=conversation, active=True)
    await theirs.problem("typing", "not-found", conversation="c99999999", active=True)
    await his.settle()
    assert his.of("typing") == []


async def test_a_mark_is_not_replayed(connect, alice, bob):
    conversation = direct(alice, bob)
    start = post_message(alice, conversation, "start")["position"]
    hers = await connect(alice)
    await typing(hers, conversation)
    await typing(hers, conversation, False)
    his = await connect(bob)
    await his.ok("resume", epoch=his.hello["epoch"], position=start)
    assert his.of("typing") == []


# Presence


async def test_who_shares_a_conversation_is_told_and_nobody_else(connect, alice, bob, person):
    """Online with the first session; offline when the last one has been gone a second, and not before."""
    direct(alice, bob)
    his, strangers = await connect(bob), await connect(person("stranger"))
    phone = await connect(alice)
    heard = await his.expect("presence", user=alice.id, timeout=2)
    assert set(heard) == {"type", "user", "state", "last_seen"} and heard["state"] == "online"
    laptop = await connect(alice)
    await phone.close()
    await asyncio.sleep(GONE + 0.6)
    assert len(his.of("presence")) == 1, "one session is enough"
    began = time.monotonic()
    await laptop.close()
    heard = await his.expect("presence", user=alice.id, timeout=4)
    assert heard["state"] == "offline" and TIME.fullmatch(heard["last_seen"])
    assert GONE - 0.1 < time.monotonic() - began < GONE + 1.5
    await strangers.settle()
    assert strangers.of("presence") == []


async def test_a_torn_connection_is_no_news_when_it_comes_back(connect, alice, bob, server):
    direct(alice, bob)
    his = await connect(bob)
    hers = await Client.open(server, alice.token)
    await his.expect("presence", state="online")
    for _ in range(3):
        hers.connection.transport.abort()
        await asyncio.sleep(0.2)
        hers = await Client.open(server, alice.token)
    await asyncio.sleep(GONE + 0.5)
    assert len(his.of("presence")) == 1
    hers.connection.transport.abort()
    await his.expect("presence", state="offline", timeout=4)


async def test_a_new_session_learns_who_is_there(connect, alice, bob, person):
    """One `presence` for each user who is online and shares a conversation; nothing of those who are not."""
    carol, dave, stranger = person("carol"), person("dave"), person("stranger")
    group(alice, bob, carol)
    direct(alice, dave)
    direct(alice, bob)
    for user in (bob, dave, stranger):
        await connect(user)
    await asyncio.sleep(0.3)  # what is news now is told by itself, and would be heard too
    hers = await connect(alice)
    await hers.expect("presence", user=bob.id, timeout=2)
    await hers.expect("presence", user=dave.id, timeout=2)
    await asyncio.sleep(0.4)
    assert sorted(one["user"] for one in hers.of("presence")) == sorted([bob.id, dave.id])
    assert {one["state"] for one in hers.of("presence")} == {"online"}


async def test_a_disabled_users_sessions_are_gone(connect, administrator, alice, bob):
    direct(alice, bob)
    his, hers = await connect(bob), await connect(alice)
    await his.expect("presence", user=alice.id, state="online", timeout=2)
    assert administrator.api.request("PATCH", f"/users/{alice.id}", json={"disabled": True}).status_code == 200
    assert await hers.closed() == 4500
    await his.expect("presence", user=alice.id, state="offline", timeout=4)


async def test_a_removed_member_hears_no_more_of_the_others(connect, alice, bob, person, server):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    theirs = await connect(carol)
    assert remove(alice, conversation, carol).status_code == 204
    await theirs.expect("conversation", change="member_removed")
    his = await connect(bob)
    await asyncio.sleep(0.5)
    assert theirs.of("presence") == [] and all(one["user"] != carol.id for one in his.of("presence"))
    # And a member who is added hears of those who come after that.
    assert add(alice, conversation, carol).status_code == 200
    await connect(alice)
    await theirs.expect("presence", user=alice.id, state="online", timeout=2)


async def test_presence_and_marks_are_not_in_the_log(connect, alice, bob):
    """They carry no position, and the store's does not grow with them."""
    conversation = direct(alice, bob)
    his, hers = await connect(bob), await connect(alice)
    before = alice.api.get("/conversations").json()["position"]
    await typing(hers, conversation)
    assert "position" not in await his.expect("typing")
    assert "position" not in await his.expect("presence", timeout=2)
    assert alice.api.get("/conversations").json()["position"] == before


async def test_a_session_of_a_second_log_in_counts_too(connect, alice, bob, server):
    direct(alice, bob)
    his = await connect(bob)
    first = await Client.open(server, alice.token)
    await his.expect("presence", state="online", timeout=2)
    second = await Client.open(server, login(server, alice.username, alice.password).token)
    assert alice.api.post("/auth/logout").status_code == 204
    assert await first.closed() == 4500
    await asyncio.sleep(GONE + 0.5)
    assert len(his.of("presence")) == 1
    await second.close()
    await his.expect("presence", state="offline", timeout=4)


async def test_a_restart_leaves_nobody_online(serve):
    server = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(server)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    direct(alice, bob)
    his = await Client.open(server, bob.token)
    server.kill()
    server.start()
    hers = await Client.open(server, alice.token)
    await hers.settle()
    his = await Client.open(server, bob.token)
    await hers.expect("presence", user=bob.id)
    assert states(hers, bob) == ["online"], "only now"
    for client in (hers, his):
        await client.close()


@pytest.mark.parametrize("others", [255, 256], ids=["256 members", "257 members"])
async def test_a_large_conversation_tells_of_no_presence(serve, others):
    server = serve("--rate-limit", "off")
    lines = wattloop("user", "add", "--load-test", others, "--data", server.data).stdout.split()
    crowd = [User(id, name, "", token, Api(server, token)) for id, name, token in (line.split(",") for line in lines)]
    alice, bob = create_user(admin(server), "alice"), crowd[-1]
    group(alice, *crowd)
    direct(alice, bob)
    hers = await Client.open(server, alice.token)
    opened = [await Client.open(server, user.token) for user in (crowd[0], bob)]
    # Bob is told of for the pair's sake, and was the last to come.
    await hers.expect("presence", user=bob.id)
    assert states(hers, crowd[0]) == (["online"] if others == 255 else [])
    for client in [hers, *opened]:
        await client.close()
