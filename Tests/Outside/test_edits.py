"""Edits and deletions: who may make them, and that they reach everybody."""

import pytest

from harness.api import direct, every_message, group, post_message, problem_of


def patch(user, conversation, seq, body):
    return user.api.request("PATCH", f"/conversations/{conversation}/messages/{seq}", json=body)


def delete(user, conversation, seq):
    return user.api.request("DELETE", f"/conversations/{conversation}/messages/{seq}")


@pytest.fixture
def pair(alice, bob):
    return direct(alice, bob)


async def test_an_edit_reaches_every_session_and_the_history(connect, alice, bob, pair):
    editing, other, peer = await connect(alice), await connect(alice), await connect(bob)
    sent = await editing.send(pair, "frist", key="edit-1")
    answer = await editing.ok("edit", conversation=pair, seq=sent["seq"], text="  first ")
    assert answer["position"] > sent["position"]
    for session in (other, peer):
        event = await session.expect("message", position=answer["position"])
        assert (event["seq"], event["text"], event["edited_at"]) == (sent["seq"], "first", answer["timestamp"])
        assert event["timestamp"] == sent["timestamp"] and ("key" in event) == (session is other)
    await editing.settle()
    assert editing.of("message") == [], "who made it has its answer"
    [stored] = every_message(bob, pair)
    assert stored == {name: value for name, value in event.items() if name not in ("type", "key")}
    listed = bob.api.items("/conversations")[0]["last_message"]
    assert listed == stored
    page = await peer.ok("history", conversation=pair)
    assert page["messages"] == [stored]


async def test_a_deletion_hides_the_text_from_everybody_for_good(connect, alice, bob, pair):
    session, peer = await connect(alice), await connect(bob)
    sent = await session.send(pair, "a secret")
    reply = await peer.send(pair, "what?", reply_to=sent["seq"])
    answer = await session.ok("delete", conversation=pair, seq=sent["seq"])
    event = await peer.expect("message", position=answer["position"])
    assert (event["seq"], event["text"], event["deleted_at"]) == (sent["seq"], "", answer["timestamp"])
    stored = every_message(bob, pair)
    assert stored[0]["text"] == "" and stored[0]["deleted_at"] == answer["timestamp"]
    assert stored[1]["reply_to"] == sent["seq"] and stored[1]["seq"] == reply["seq"]
    assert "a secret" not in bob.api.get(f"/conversations/{pair}").text


async def test_the_same_over_rest(connect, alice, bob, pair):
    peer = await connect(bob)
    sent = post_message(alice, pair, "one")
    answer = patch(alice, pair, sent["seq"], {"text": "two"})
    assert answer.status_code == 200
    edited = answer.json()
    assert (edited["text"], edited["seq"], edited["key"]) == ("two", sent["seq"], sent["key"])
    event = await peer.expect("message", position=edited["position"])
    assert event["text"] == "two"
    assert delete(alice, pair, sent["seq"]).status_code == 204
    assert (await peer.expect("message", seq=sent["seq"], text=""))["deleted_at"]
    assert delete(alice, pair, sent["seq"]).status_code == 204, "it is so already"
    problem_of(patch(alice, pair, sent["seq"], {"text": "three"}), 409, "conflict")
    await peer.settle()
    assert len(peer.of("message")) == 3


async def test_what_changes_nothing_is_no_event(connect, alice, bob, pair):
    session, peer = await connect(alice), await connect(bob)
    sent = await session.send(pair, "same")
    same = await session.ok("edit", conversation=pair, seq=1, text="same")
    assert same["position"] == sent["position"]
    first = await session.ok("delete", conversation=pair, seq=1)
    again = await session.ok("delete", conversation=pair, seq=1)
    assert again["position"] == first["position"] and again["timestamp"] == first["timestamp"]
    await session.problem("edit", "conflict", conversation=pair, seq=1, text="back?")
    await peer.expect("message", position=first["position"])
    await peer.settle()
    assert len(peer.of("message")) == 2


async def test_only_the_sender_edits_and_an_administrator_may_delete(connect, administrator, alice, bob, person):
    id = group(alice, bob, administrator)
    sent = post_message(alice, id, "mine")
    for other in (bob, administrator):
        session = await connect(other)
        await session.problem("edit", "forbidden", conversation=id, seq=sent["seq"], text="yours")
        problem_of(patch(other, id, sent["seq"], {"text": "yours"}), 403, "forbidden")
    await (await connect(bob)).problem("delete", "forbidden", conversation=id, seq=sent["seq"])
    problem_of(delete(bob, id, sent["seq"]), 403, "forbidden")
    stranger = person("stranger")
    await (await connect(stranger)).problem("delete", "not-found", conversation=id, seq=sent["seq"])
    problem_of(delete(stranger, id, sent["seq"]), 404, "not-found")
    problem_of(patch(stranger, id, sent["seq"], {"text": "x"}), 404, "not-found")
    assert every_message(alice, id)[0]["text"] == "mine"
    assert delete(administrator, id, sent["seq"]).status_code == 204
    # One who is no member does not see it, administrator or not.
    pair = direct(alice, bob)
    post_message(alice, pair, "ours")
    problem_of(delete(administrator, pair, 1), 404, "not-found")


@pytest.mark.parametrize("fields, problem", [
    ({"seq": 1}, "validation"), ({"text": "x"}, "validation"), ({"seq": 1, "text": " "}, "validation"),
    ({"seq": 99, "text": "x"}, "not-found"), ({"seq": 0, "text": "x"}, "not-found"), ({"seq": -1, "text": "x"}, "not-found"),
    ({"seq": "1", "text": "x"}, "validation"), ({"seq": 1, "text": "x" * 8001}, "validation"),
    ({"seq": 1.5, "text": "x"}, "validation"),
])  # fmt: skip
async def test_what_is_no_edit_is_refused(connect, alice, pair, fields, problem):
    post_message(alice, pair, "x0")
    await (await connect(alice)).problem("edit", problem, conversation=pair, **fields)


async def test_a_key_still_names_the_message_as_it_was_sent(connect, alice, bob, pair):
    session = await connect(alice)
    first = await session.send(pair, "as sent", key="k-edited")
    await session.ok("edit", conversation=pair, seq=first["seq"], text="as edited")
    retry = await session.send(pair, "as sent", key="k-edited")
    assert retry["duplicate"] is True and retry["seq"] == first["seq"]
    await session.problem("send", "idempotency-conflict", conversation=pair, text="as edited", key="k-edited")
    await session.ok("delete", conversation=pair, seq=first["seq"])
    assert (await session.send(pair, "as sent", key="k-edited"))["seq"] == first["seq"]
    assert len(every_message(alice, pair)) == 1
