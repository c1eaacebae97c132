"""What is told at once and never stored: who is writing, and who is there."""

import asyncio

import pytest

from harness.api import direct, group


@pytest.fixture
def pair(alice, bob):
    return direct(alice, bob)


async def test_typing_is_seen_by_the_others_and_ends_with_the_message(connect, alice, bob, pair):
    writing, own, peer = await connect(alice), await connect(alice), await connect(bob)
    await writing.ok("typing", conversation=pair, active=True)
    event = await peer.expect("typing")
    assert (event["conversation"], event["user"], event["active"]) == (pair, alice.id, True)
    await writing.send(pair, "done")
    assert (await peer.expect("typing", active=False))["user"] == alice.id
    await writing.ok("typing", conversation=pair, active=True)
    await writing.ok("typing", conversation=pair, active=False)
    await writing.ok("typing", conversation=pair, active=False)
    await peer.expect("typing", active=True)
    await peer.expect("typing", active=False)
    for session in (peer, own, writing):
        await session.settle()
    assert len(peer.of("typing")) == 4
    assert own.of("typing") == [] and writing.of("typing") == []


async def test_a_typing_mark_lives_as_long_as_hello_says(connect, alice, bob, pair):
    writing, peer = await connect(alice), await connect(bob)
    life = peer.hello["typing_ms"] / 1000
    await writing.ok("typing", conversation=pair, active=True)
    await peer.expect("typing", active=True)
    await asyncio.sleep(life - 1)
    assert len(peer.of("typing")) == 1
    await peer.expect("typing", active=False, timeout=3)


async def test_nobody_types_where_it_is_no_member(connect, alice, bob, person, pair):
    stranger, peer = await connect(person("stranger")), await connect(bob)
    await stranger.problem("typing", "not-found", conversation=pair, active=True)
    await stranger.problem("typing", "not-found", conversation="c999999", active=True)
    await stranger.problem("typing", "validation", conversation=pair)
    await stranger.problem("typing", "validation", conversation=pair, active="yes")
    await peer.settle()
    assert peer.of("typing") == []


async def test_a_user_is_online_while_one_session_is(connect, alice, bob, pair):
    peer = await connect(bob)
    await asyncio.sleep(0.3)
    first = await connect(alice)
    event = await peer.expect("presence", user=alice.id)
    assert event["state"] == "online" and event["last_seen"]
    second = await connect(alice)
    await first.close()
    await asyncio.sleep(1.6)
    assert [e["state"] for e in peer.of("presence")] == ["online"]
    await second.close()
    offline = await peer.expect("presence", user=alice.id, timeout=5)
    assert offline["state"] == "offline" and offline["last_seen"] >= event["last_seen"]


async def test_who_comes_hears_who_is_there(connect, alice, bob, person, pair):
    await connect(alice)
    await asyncio.sleep(0.4)
    for _ in range(2):
        session = await connect(bob)
        assert (await session.expect("presence", user=alice.id))["state"] == "online"
    stranger = await connect(person("stranger"))
    await asyncio.sleep(0.4)
    await stranger.settle()
    assert stranger.of("presence") == []


async def test_a_flicker_is_no_news(connect, alice, bob, pair):
    peer, session = await connect(bob), await connect(alice)
    await peer.expect("presence", user=alice.id)
    for _ in range(3):
        await session.close()
        session = await connect(alice)
    await asyncio.sleep(1.5)
    assert [e["state"] for e in peer.of("presence")] == ["online"]


async def test_presence_follows_the_members(connect, alice, bob, person):
    carol = person("carol")
    id = group(alice, bob)
    peer = await connect(bob)
    session = await connect(carol)
    await asyncio.sleep(0.4)
    await peer.settle()
    assert [e for e in peer.of("presence") if e["user"] == carol.id] == []
    assert alice.api.post(f"/conversations/{id}/members", {"user_id": carol.id}).status_code == 200
    await session.close()
    assert (await peer.expect("presence", user=carol.id, timeout=5))["state"] == "offline"
