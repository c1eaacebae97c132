"""Contract §3 rule 5: what was received and read only grows, and whoever reads in private is not seen to."""

import asyncio
import random

import pytest

from harness.api import admin, create_user, direct, group, pointers, post_message, problem_of
from harness.chat import add, conversation_of, marks, positioned, read
from harness.client import Client
from harness.server import wattloop


def unread(user, conversation) -> int:
    [listed] = [one for one in user.api.items("/conversations", params={"limit": 500}) if one["id"] == conversation]
    shown = conversation_of(user, conversation)
    assert shown["unread"] == listed["unread"] and shown["read_seq"] == listed["read_seq"]
    return shown["unread"]


def talk(user, conversation, count, start=1):
    for number in range(start, start + count):
        post_message(user, conversation, f"{number}")


async def test_everyone_hears_a_receipt_but_the_session_that_gave_it(connect, alice, bob):
    """`read` implies `received`; the user's own other sessions hear it too."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 3)
    hers, phone, laptop = await connect(alice), await connect(bob), await connect(bob)
    ok = await phone.ok("received", conversation=conversation, seq=2)
    assert set(ok) == {"type", "id"}
    for session in (hers, laptop):
        heard = await session.expect("receipt")
        assert set(heard) == {"type", "position", "conversation", "user", "received_seq", "read_seq"}
        assert (heard["conversation"], heard["user"]) == (conversation, bob.id)
        assert (heard["received_seq"], heard["read_seq"]) == (2, 0)
    await phone.ok("read", conversation=conversation, seq=3)
    for session in (hers, laptop):
        later = await session.expect("receipt")
        assert (later["received_seq"], later["read_seq"]) == (3, 3) and later["position"] > heard["position"]
    await phone.settle()
    assert phone.of("receipt") == []
    assert marks(alice, conversation, bob) == (3, 3) == marks(bob, conversation, bob)
    shown = conversation_of(bob, conversation)
    assert (shown["read_seq"], shown["received_seq"], shown["unread"]) == (3, 3, 0)


async def test_marks_only_grow(connect, alice, bob):
    """A lower or the same seq is `ok` and no event."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 5)
    hers, his = await connect(alice), await connect(bob)
    await his.ok("read", conversation=conversation, seq=4)
    for seq in (4, 3, 1):
        await his.ok("read", conversation=conversation, seq=seq)
        await his.ok("received", conversation=conversation, seq=seq)
        answer = read(bob, conversation, seq)
        assert answer.status_code == 200 and answer.json()["read_seq"] == 4
    await his.ok("received", conversation=conversation, seq=5)
    assert (await hers.expect("receipt", received_seq=5))["read_seq"] == 4
    assert [(one["received_seq"], one["read_seq"]) for one in hers.of("receipt")] == [(4, 4), (5, 4)]
    assert marks(alice, conversation, bob) == (5, 4)


async def test_many_sessions_reading_at_once_go_forwards_only(connect, alice, bob):
    conversation = direct(alice, bob)
    talk(alice, conversation, 30)
    hers = await connect(alice)
    sessions = [await connect(bob) for _ in range(4)]
    await asyncio.gather(*[
        session.ok("read", conversation=conversation, seq=seq) for session in sessions for seq in range(1, 31)])
    await hers.expect("receipt", read_seq=30)
    await hers.settle()
    heard = [one["read_seq"] for one in hers.of("receipt")]
    assert heard == sorted(set(heard)) and heard[-1] == 30
    assert marks(alice, conversation, bob) == (30, 30)


@pytest.mark.parametrize("kind", ["received", "read"])
@pytest.mark.parametrize("seq", [4, 0, -1, 10**12, 1.5, "1", None], ids=str)
async def test_a_seq_that_does_not_exist_is_refused(connect, alice, bob, kind, seq):
    """Below 1 or beyond the last message: validation, and no mark moves."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 3)
    his = await connect(bob)
    await his.problem(kind, "validation", conversation=conversation, seq=seq)
    if kind == "read":
        assert pointers(problem_of(read(bob, conversation, seq), {400, 422}, "validation")) == {"seq"}
    assert marks(alice, conversation, bob) == (0, 0)


async def test_strangers_mark_nothing(connect, alice, bob, person):
    conversation, stranger = direct(alice, bob), person("stranger")
    talk(alice, conversation, 1)
    theirs, hers = await connect(stranger), await connect(alice)
    await theirs.problem("read", "not-found", conversation=conversation, seq=1)
    await theirs.problem("received", "not-found", conversation=conversation, seq=1)
    await theirs.problem("read", "not-found", conversation="c99999999", seq=1)
    problem_of(read(stranger, conversation, 1), 404, "not-found")
    await hers.settle()
    assert hers.of("receipt") == []


async def test_put_read_answers_with_the_callers_marks(connect, alice, bob):
    conversation = direct(alice, bob)
    talk(alice, conversation, 3)
    hers, his = await connect(alice), await connect(bob)
    answer = read(bob, conversation, 2)
    assert answer.status_code == 200
    assert answer.json() == {"conversation": conversation, "received_seq": 2, "read_seq": 2, "unread": 1}
    for session in (hers, his):
        assert (await session.expect("receipt"))["read_seq"] == 2


@pytest.mark.parametrize("way", ["socket", "rest"])
async def test_a_private_read_is_shown_to_nobody_else(connect, alice, bob, way):
    """Own sessions see it; others see what was received grow, in events and in the members, never what was read."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 5)
    hers, phone, laptop = await connect(alice), await connect(bob), await connect(bob)
    await phone.ok("read", conversation=conversation, seq=2)
    await hers.expect("receipt", read_seq=2)
    if way == "socket":
        await phone.ok("read", conversation=conversation, seq=4, private=True)
    else:
        answer = read(bob, conversation, 4, private=True)
        assert answer.json() == {"conversation": conversation, "received_seq": 4, "read_seq": 4, "unread": 1}
    own = await laptop.expect("receipt", read_seq=4)
    assert own["received_seq"] == 4
    other = await hers.expect("receipt", received_seq=4)
    assert other["read_seq"] == 2
    await hers.settle()
    assert all(one["read_seq"] <= 2 for one in hers.of("receipt"))

    assert marks(alice, conversation, bob) == (4, 2)
    [listed] = [one for one in alice.api.items("/conversations") if one["id"] == conversation]
    assert [one["read_seq"] for one in listed["members"] if one["id"] == bob.id] == [2]
    mine = conversation_of(bob, conversation)
    assert (mine["read_seq"], mine["received_seq"], mine["unread"]) == (4, 4, 1), "his own count has gone on"


async def test_a_private_read_of_what_was_received_is_silent(connect, alice, bob):
    """Nothing grows that others may see: they are told nothing, and nothing is replayed to them."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 3)
    hers, phone, laptop = await connect(alice), await connect(bob), await connect(bob)
    await phone.ok("received", conversation=conversation, seq=3)
    first = await hers.expect("receipt")
    await phone.ok("read", conversation=conversation, seq=3, private=True)
    await laptop.expect("receipt", read_seq=3)
    await phone.send(conversation, "end")
    await hers.expect("message", text="end")
    assert len(hers.of("receipt")) == 1
    late = await connect(alice)
    await late.ok("resume", epoch=late.hello["epoch"], position=first["position"])
    assert [event["type"] for event in positioned(late)] == ["message"]
    own = await connect(bob)
    await own.ok("resume", epoch=own.hello["epoch"], position=first["position"])
    assert [event["type"] for event in positioned(own)] == ["receipt", "message"]


async def test_after_a_private_read_a_public_one_is_seen(connect, alice, bob):
    """Also of a seq below the private mark: others learn that one and no more."""
    conversation = direct(alice, bob)
    talk(alice, conversation, 5)
    hers, his = await connect(alice), await connect(bob)
    await his.ok("read", conversation=conversation, seq=4, private=True)
    await his.ok("read", conversation=conversation, seq=5)
    assert (await hers.expect("receipt", read_seq=5))["received_seq"] == 5
    assert marks(alice, conversation, bob) == (5, 5)


async def test_unread_counts_others_messages_above_what_was_read(connect, alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    talk(alice, conversation, 3)
    assert [unread(user, conversation) for user in (alice, bob, carol)] == [0, 3, 3]
    talk(bob, conversation, 2)
    assert [unread(user, conversation) for user in (alice, bob, carol)] == [2, 3, 5]
    assert read(bob, conversation, 2).json()["unread"] == 1
    assert read(carol, conversation, 4, private=True).json()["unread"] == 1
    assert [unread(user, conversation) for user in (alice, bob, carol)] == [2, 1, 1]
    hers = await connect(alice)
    await hers.ok("received", conversation=conversation, seq=5)
    assert unread(alice, conversation) == 2, "received is not read"
    await hers.ok("read", conversation=conversation, seq=5)
    assert unread(alice, conversation) == 0


async def test_a_new_members_count_starts_at_nothing(alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob)
    talk(alice, conversation, 4)
    assert add(alice, conversation, carol).status_code == 200
    shown = conversation_of(carol, conversation)
    assert (shown["unread"], shown["read_seq"], shown["last_seq"]) == (0, 4, 4)
    talk(bob, conversation, 1)
    assert unread(carol, conversation) == 1
    assert marks(alice, conversation, carol)[1] in (0, 4)


async def test_receipts_of_a_crowd_are_ones_own(serve):
    """In a conversation of more than 256 members only the user's own sessions hear them; of 256, all do."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    added = wattloop("user", "add", "--load-test", 255, "--data", running.data)
    assert added.returncode == 0, added.stderr
    crowd = [line.split(",")[0] for line in added.stdout.split()]
    small, large = [
        alice.api.post("/conversations", {"kind": "group", "title": "x", "member_ids": [bob.id, *crowd[:count]]})
        for count in (254, 255)
    ]
    assert (small.status_code, large.status_code) == (201, 201), large.text
    small, large = small.json()["id"], large.json()["id"]
    hers = await Client.open(running, alice.token)
    phone, laptop = await Client.open(running, bob.token), await Client.open(running, bob.token)
    for conversation in (small, large):
        post_message(alice, conversation, "to all")
    await phone.ok("read", conversation=large, seq=1)
    await phone.ok("read", conversation=small, seq=1)
    assert (await hers.expect("receipt"))["conversation"] == small
    assert [(await laptop.expect("receipt"))["conversation"] for _ in range(2)] == [large, small]
    assert len(hers.of("receipt")) == 1
    for client in (hers, phone, laptop):
        await client.close()


async def test_marks_are_there_after_a_kill(serve):
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    talk(alice, conversation, 3)
    assert read(bob, conversation, 1).status_code == 200
    assert read(bob, conversation, 2, private=True).status_code == 200
    running.kill()
    running.start()
    assert marks(alice, conversation, bob) == (2, 1)
    assert (conversation_of(bob, conversation)["read_seq"], unread(bob, conversation)) == (2, 1)


async def test_what_was_read_in_private_is_not_shown_by_a_lower_public_mark(connect, alice, bob):
    conversation = direct(alice, bob)
    talk(alice, conversation, 5)
    his, hers = await connect(bob), await connect(alice)
    await his.ok("read", conversation=conversation, seq=5, private=True)
    await his.ok("read", conversation=conversation, seq=2)
    post_message(bob, conversation, "last")
    await hers.expect("message", text="last")
    shown = conversation_of(bob, conversation)
    assert (shown["received_seq"], shown["read_seq"], shown["unread"]) == (5, 5, 0), "the own mark does not fall"
    assert all(one["read_seq"] <= 2 for one in hers.of("receipt")) and marks(alice, conversation, bob)[1] <= 2


async def test_unread_is_the_number_of_others_messages_above_the_mark(alice, bob, person, seed):
    chance = random.Random(seed)
    users = [alice, bob, person("carol")]
    conversation = group(*users)
    senders, marked = [], {user.id: 0 for user in users}
    for _ in range(60):
        user = chance.choice(users)
        if chance.random() < 0.6 or not senders:
            post_message(user, conversation, "x")
            senders.append(user.id)
        else:
            seq = chance.randint(1, len(senders))
            answer = read(user, conversation, seq, private=chance.random() < 0.3)
            marked[user.id] = max(marked[user.id], seq)
            assert answer.json()["read_seq"] == marked[user.id]
        other = chance.choice(users)
        assert unread(other, conversation) == sum(sender != other.id for sender in senders[marked[other.id] :])
