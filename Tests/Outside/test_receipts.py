"""Marks only grow, `read` implies `received`, `unread` is derived, and a private read is nobody else's business."""

import pytest

from harness.api import direct, group, post_message, problem_of


@pytest.fixture
def pair(alice, bob):
    return direct(alice, bob)


def state(user, id) -> tuple:
    conversation = user.api.get(f"/conversations/{id}").json()
    return conversation["received_seq"], conversation["read_seq"], conversation["unread"]


def shown(user, id, other) -> tuple:
    """What a user sees of another's marks."""
    members = user.api.get(f"/conversations/{id}").json()["members"]
    return next((m["received_seq"], m["read_seq"]) for m in members if m["id"] == other.id)


async def test_marks_only_grow_and_everybody_hears_it(connect, alice, bob, pair):
    for _ in range(5):
        post_message(alice, pair, "x")
    reading, own, peer = await connect(bob), await connect(bob), await connect(alice)
    assert state(bob, pair) == (0, 0, 5)
    await reading.ok("received", conversation=pair, seq=3)
    await reading.ok("received", conversation=pair, seq=2)
    await reading.ok("read", conversation=pair, seq=2)
    await reading.ok("read", conversation=pair, seq=4)
    await reading.ok("read", conversation=pair, seq=1)
    for session in (own, peer):
        events = [await session.expect("receipt") for _ in range(3)]
        assert [(e["received_seq"], e["read_seq"]) for e in events] == [(3, 0), (3, 2), (4, 4)]
        assert all(e["user"] == bob.id and e["conversation"] == pair for e in events)
        assert [e["position"] for e in events] == sorted({e["position"] for e in events})
        await session.settle()
        assert len(session.of("receipt")) == 3, "what changes nothing is no event"
    await reading.settle()
    assert reading.of("receipt") == []
    assert state(bob, pair) == (4, 4, 1) and shown(alice, pair, bob) == (4, 4)


async def test_a_private_read_is_shown_to_nobody_else(connect, alice, bob, pair):
    for _ in range(4):
        post_message(alice, pair, "x")
    reading, own, peer = await connect(bob), await connect(bob), await connect(alice)
    await reading.ok("read", conversation=pair, seq=3, private=True)
    assert (await own.expect("receipt"))["read_seq"] == 3
    assert (await peer.expect("receipt"))["read_seq"] == 0, "that it has come may be known"
    await reading.ok("read", conversation=pair, seq=2, private=True)
    await reading.ok("read", conversation=pair, seq=3, private=True)
    await peer.settle()
    assert len(peer.of("receipt")) == 1
    assert state(bob, pair) == (3, 3, 1) and shown(alice, pair, bob) == (3, 0)
    assert shown(bob, pair, bob) == (3, 0), "as the others see it"
    await reading.ok("read", conversation=pair, seq=1)
    assert (await peer.expect("receipt", read_seq=1))["received_seq"] == 3
    assert state(bob, pair) == (3, 3, 1)


def test_unread_is_the_number_of_others_messages_above_the_mark(alice, bob, pair):
    for number in range(6):
        post_message(alice if number % 2 else bob, pair, "x")
    assert state(alice, pair)[2] == 3 and state(bob, pair)[2] == 3
    answer = alice.api.request("PUT", f"/conversations/{pair}/read", json={"seq": 3})
    assert answer.status_code == 200
    assert answer.json() == {"conversation": pair, "received_seq": 3, "read_seq": 3, "unread": 1}
    post_message(alice, pair, "one's own is not unread")
    assert state(alice, pair)[2] == 1
    assert alice.api.request("PUT", f"/conversations/{pair}/read", json={"seq": 2}).json()["read_seq"] == 3
    listed = alice.api.items("/conversations")
    assert [(c["id"], c["unread"], c["read_seq"], c["last_seq"]) for c in listed] == [(pair, 1, 3, 7)]


async def test_a_read_over_rest_is_heard_on_sockets(connect, alice, bob, pair):
    post_message(alice, pair, "x")
    own, peer = await connect(bob), await connect(alice)
    bob.api.request("PUT", f"/conversations/{pair}/read", json={"seq": 1})
    for session in (own, peer):
        assert (await session.expect("receipt"))["read_seq"] == 1


@pytest.mark.parametrize("kind", ["received", "read"])
@pytest.mark.parametrize("fields, problem", [
    ({"seq": 0}, "validation"), ({"seq": 3}, "validation"), ({}, "validation"), ({"seq": "1"}, "validation"),
    ({"seq": -5}, "validation"), ({"seq": 2**62}, "validation"),
])  # fmt: skip
async def test_a_mark_names_a_message(connect, alice, bob, pair, kind, fields, problem):
    post_message(alice, pair, "x")
    post_message(alice, pair, "y")
    await (await connect(bob)).problem(kind, problem, conversation=pair, **fields)
    assert state(bob, pair) == (0, 0, 2)


async def test_marks_of_others_conversations_are_not_found(connect, alice, bob, person, pair):
    stranger = person("stranger")
    post_message(alice, pair, "x")
    session = await connect(stranger)
    for kind in ("received", "read"):
        await session.problem(kind, "not-found", conversation=pair, seq=1)
    problem_of(stranger.api.request("PUT", f"/conversations/{pair}/read", json={"seq": 1}), 404, "not-found")
    for body in ({}, {"seq": "x"}, {"seq": 0}, {"seq": 2}, {"seq": 1, "private": "yes"}):
        problem_of(bob.api.request("PUT", f"/conversations/{pair}/read", json=body), {400, 422})


async def test_many_reads_at_once_end_at_the_highest(connect, alice, bob, pair):
    for _ in range(50):
        post_message(alice, pair, "x")
    session, peer = await connect(bob), await connect(alice)
    answers = [await session.begin("read", conversation=pair, seq=seq) for seq in range(1, 51)]
    for answer in answers:
        assert (await answer)["type"] == "ok"
    assert state(bob, pair) == (50, 50, 0)
    await peer.expect("receipt", read_seq=50)
    seen = [event["read_seq"] for event in peer.of("receipt")]
    assert seen == sorted(set(seen)), "only growing"


async def test_a_thousand_members_do_not_hear_each_others_receipts(serve):
    """Each message would bring as many receipts as members, each to as many members."""
    from harness.api import admin, create_user, login
    from harness.client import Client
    from harness.server import wattloop

    server = serve()
    made = wattloop("user", "add", "--load-test", "300", "--data", server.data).stdout.split()
    administrator = admin(server)
    alice = create_user(administrator, "alice")
    tokens = {line.split(",")[0]: line.split(",")[2] for line in made}
    id = alice.api.post("/conversations", {"kind": "group", "title": "all", "member_ids": list(tokens)}).json()["id"]
    post_message(alice, id, "hello")
    reader = next(iter(tokens))
    one, same, other = [await Client.open(server, tokens[user]) for user in (reader, reader, list(tokens)[1])]
    await one.ok("read", conversation=id, seq=1)
    await same.expect("receipt", user=reader, read_seq=1)
    await other.settle()
    assert other.of("receipt") == []
    for session in (one, same, other):
        await session.close()
