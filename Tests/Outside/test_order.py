"""What one session asks for is done in the order in which it asked, whatever the server has to look up first."""

import time

import pytest

from harness.api import admin, create_user, group
from harness.client import Client
from harness.energy import QUARTER, at, create_device, interval, send
from harness.raw import RawConnection, text

NOON = at("2026-02-03T12:00")


@pytest.fixture
async def unknown(serve):
    """A server that has just started, with Bob's session, and two hundred groups of Alice and him to be looked up."""
    server = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(server)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversations = [group(alice, bob) for _ in range(200)]
    server.kill()
    server.start()
    his = await Client.open(server, bob.token)
    await his.settle()
    with RawConnection(server) as hers:
        hers.upgrade(alice.token)
        yield conversations, hers, his
    await his.close()


def marks(client, conversation) -> list:
    return [event["active"] for event in client.of("typing") if event["conversation"] == conversation]


async def test_typing_marks_are_told_in_their_order(unknown):
    """The first ones wait until the conversation has been looked up: the later ones must not overtake them."""
    conversations, hers, his = unknown
    wanted = [True, False] * 5
    for conversation in conversations:
        for active in wanted:
            hers.send(text(type="typing", id="t", conversation=conversation, active=active))
        for _ in wanted:
            hers.message(type="ok")
    await his.settle()
    wrong = {conversation: told for conversation in conversations if (told := marks(his, conversation)) != wanted}
    assert wrong == {}


async def test_a_mark_does_not_come_behind_the_message_that_ends_it(unknown):
    conversations, hers, his = unknown
    for conversation in conversations:
        hers.send(text(type="typing", id="t", conversation=conversation, active=True))
        hers.send(text(type="send", id="s", conversation=conversation, text="done", key=conversation))
        for _ in range(2):
            hers.message(type="ok")
    for conversation in conversations:
        await his.expect("message", conversation=conversation)

    def open_marks() -> set:
        return {one for one in conversations if marks(his, one) not in ([], [True, False])}

    deadline = time.monotonic() + 3  # long before a mark's own time is over
    while open_marks() and time.monotonic() < deadline:
        await his.settle()
    assert open_marks() == set()


async def test_the_last_of_many_watches_and_unwatches_counts(connect, administrator, alice):
    device = create_device(administrator, alice)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    value = 1
    for first, last in [("watch", "unwatch"), ("unwatch", "watch")] * 3:
        session, probe = await connect(alice), await connect(alice)
        waiting = [await session.begin(type, device=device) for _ in range(100) for type in (first, last)]
        assert {(await answer)["type"] for answer in waiting} == {"ok"}
        await probe.ok("watch", device=device)
        value += 1
        send(administrator, device, [interval(NOON, NOON + QUARTER, value)])
        await probe.expect("consumption")
        await session.settle()
        assert len(session.of("consumption")) == (1 if last == "watch" else 0), f"the last word was {last}"
