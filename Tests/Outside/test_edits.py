"""Contract §2 and §3: messages are changed and deleted by whom they belong to, and everyone sees the same."""

import asyncio
import random

import pytest

from harness.api import (
    TIME,
    admin,
    create_user,
    direct,
    every_message,
    group,
    messages,
    pointers,
    post_message,
    problem_of,
)
from harness.chat import conversation_of, delete, edit
from harness.client import Client
from harness.energy import at, create_device, interval, send

FIELDS = {"type", "position", "conversation", "seq", "sender", "timestamp", "kind", "text"}


async def test_an_edit_is_told_everyone_else_and_stored(connect, alice, bob):
    """`ok {position, seq, timestamp}` to the session; one `message`, the same seq, a new position, to the rest."""
    conversation = direct(alice, bob)
    hers, laptop, his = await connect(alice), await connect(alice), await connect(bob)
    sent = await hers.send(conversation, "first", key="k-1")
    ok = await hers.ok("edit", conversation=conversation, seq=1, text=" second \n")
    assert ok["position"] > sent["position"] and ok["seq"] == 1 and TIME.fullmatch(ok["timestamp"])

    heard = await his.expect("message", text="second")
    assert set(heard) == FIELDS | {"edited_at"}
    assert (heard["position"], heard["seq"], heard["edited_at"]) == (ok["position"], 1, ok["timestamp"])
    assert (heard["sender"], heard["timestamp"]) == (alice.id, sent["timestamp"])
    assert (await laptop.expect("message", text="second"))["key"] == "k-1"
    await hers.settle()
    assert hers.of("message") == [], "the session that asked has its answer"

    [stored] = messages(bob, conversation)["items"]
    assert stored == {name: heard[name] for name in heard if name != "type"}
    shown = conversation_of(bob, conversation)
    assert shown["last_message"]["text"] == "second" and (shown["last_seq"], shown["unread"]) == (1, 1)


async def test_a_deleted_message_has_no_text_anywhere(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    sent = await hers.send(conversation, "a regretted word")
    await his.expect("message")
    ok = await hers.ok("delete", conversation=conversation, seq=1)
    heard = await his.expect("message")
    assert set(heard) == FIELDS | {"deleted_at"}
    assert (heard["seq"], heard["text"], heard["deleted_at"]) == (1, "", ok["timestamp"])
    assert heard["position"] == ok["position"] > sent["position"]
    [stored] = messages(bob, conversation)["items"]
    assert (stored["text"], stored["deleted_at"], stored["position"]) == ("", ok["timestamp"], ok["position"])
    [past] = (await his.ok("history", conversation=conversation, after_seq=0, limit=5))["messages"]
    assert past == stored
    shown = conversation_of(alice, conversation)
    assert shown["last_message"]["text"] == "" and shown["last_seq"] == 1
    assert "regretted" not in bob.api.get("/conversations").text
    assert (await hers.send(conversation, "next"))["seq"] == 2, "its seq stays used"


async def test_an_edited_message_that_is_deleted_says_both(connect, alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "one")
    assert edit(alice, conversation, 1, "two").status_code == 200
    assert delete(alice, conversation, 1).status_code == 204
    [stored] = messages(bob, conversation)["items"]
    assert stored["text"] == "" and stored["deleted_at"]


async def test_rest_and_websocket_do_the_same(connect, alice, bob):
    """PATCH gives the message, DELETE 204; every session hears it, the caller's own too."""
    conversation = direct(alice, bob)
    post_message(alice, conversation, "one", key="k-2")
    hers, his = await connect(alice), await connect(bob)
    answer = edit(alice, conversation, 1, "two")
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["seq"], changed["text"], changed["sender"], changed["kind"]) == (1, "two", alice.id, "text")
    assert TIME.fullmatch(changed["edited_at"]) and "deleted_at" not in changed
    for session, key in ((hers, "k-2"), (his, None)):
        event = await session.expect("message", text="two")
        assert (event["position"], event.get("key")) == (changed["position"], key)
    answer = delete(alice, conversation, 1)
    assert (answer.status_code, answer.content) == (204, b"")
    for session in (hers, his):
        assert (await session.expect("message", text=""))["position"] > changed["position"]


async def test_the_same_again_is_no_event(connect, alice, bob):
    """Repeating an edit or a deletion gives the position that it has, and nobody hears of it."""
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    await hers.send(conversation, "one")
    first = await hers.ok("edit", conversation=conversation, seq=1, text="two")
    again = await hers.ok("edit", conversation=conversation, seq=1, text="two")
    assert (again["position"], again["timestamp"]) == (first["position"], first["timestamp"])
    assert edit(alice, conversation, 1, "two").json()["position"] == first["position"]
    gone = await hers.ok("delete", conversation=conversation, seq=1)
    again = await hers.ok("delete", conversation=conversation, seq=1)
    assert (again["position"], again["timestamp"]) == (gone["position"], gone["timestamp"])
    assert delete(alice, conversation, 1).status_code == 204
    await hers.send(conversation, "last")
    await his.expect("message", text="last")
    assert [event["text"] for event in his.of("message")] == ["one", "two", "", "last"]


async def test_a_deleted_message_is_not_edited(connect, alice, bob):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.send(conversation, "one")
    await hers.ok("delete", conversation=conversation, seq=1)
    await hers.problem("edit", "conflict", conversation=conversation, seq=1, text="back again")
    problem_of(edit(alice, conversation, 1, "back again"), 409, "conflict")
    assert messages(bob, conversation)["items"][0]["text"] == ""


async def test_others_messages_are_forbidden(connect, alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "hers")
    his = await connect(bob)
    await his.problem("edit", "forbidden", conversation=conversation, seq=1, text="his")
    await his.problem("delete", "forbidden", conversation=conversation, seq=1)
    problem_of(edit(bob, conversation, 1, "his"), 403, "forbidden")
    problem_of(delete(bob, conversation, 1), 403, "forbidden")
    [stored] = messages(alice, conversation)["items"]
    assert stored["text"] == "hers" and "edited_at" not in stored


async def test_an_administrator_who_is_a_member_may_delete_and_not_edit(connect, administrator, alice, bob):
    conversation = group(alice, bob, administrator)
    post_message(alice, conversation, "rude")
    post_message(alice, conversation, "rude too")
    boss, his = await connect(administrator), await connect(bob)
    await boss.problem("edit", "forbidden", conversation=conversation, seq=1, text="polite")
    problem_of(edit(administrator, conversation, 1, "polite"), 403, "forbidden")
    ok = await boss.ok("delete", conversation=conversation, seq=1)
    heard = await his.expect("message", seq=1)
    assert (heard["position"], heard["sender"], heard["text"]) == (ok["position"], alice.id, "")
    assert delete(administrator, conversation, 2).status_code == 204


async def test_an_administrator_who_is_no_member_finds_nothing(connect, administrator, alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "private")
    boss = await connect(administrator)
    await boss.problem("delete", "not-found", conversation=conversation, seq=1)
    problem_of(delete(administrator, conversation, 1), 404, "not-found")
    assert messages(bob, conversation)["items"][0]["text"] == "private"


async def test_strangers_and_unknown_seqs_are_not_found(connect, alice, bob, person):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "hers")
    stranger, hers = person("stranger"), await connect(alice)
    theirs = await connect(stranger)
    await theirs.problem("edit", "not-found", conversation=conversation, seq=1, text="x")
    await theirs.problem("delete", "not-found", conversation=conversation, seq=1)
    problem_of(edit(stranger, conversation, 1, "x"), 404, "not-found")
    problem_of(delete(stranger, conversation, 1), 404, "not-found")
    await hers.problem("edit", "not-found", conversation=conversation, seq=2, text="x")
    await hers.problem("delete", "not-found", conversation=conversation, seq=2)
    await hers.problem("delete", "not-found", conversation="c99999999", seq=1)
    for seq in ("2", "99999999999999999999999", "-1", "x", "1.0"):
        problem_of(edit(alice, conversation, seq, "x"), {404, 422}, None)
        problem_of(delete(alice, conversation, seq), {404, 422}, None)
    assert messages(bob, conversation)["items"][0]["text"] == "hers"


@pytest.mark.parametrize(
    "text", ["", " \n ", "x" * 8001, 5, None, ["x"]], ids=["empty", "blank", "8001", "5", "null", "list"]
)
async def test_the_new_text_has_the_rules_of_text(connect, alice, bob, text):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.send(conversation, "one")
    await hers.problem("edit", "validation", conversation=conversation, seq=1, text=text)
    assert pointers(problem_of(edit(alice, conversation, 1, text), {400, 422}, "validation")) == {"text"}
    assert messages(bob, conversation)["items"][0]["text"] == "one"


@pytest.mark.parametrize("seq", [0, -1, "1", 1.5, None, 10**30], ids=str)
async def test_a_seq_that_is_none_is_an_error_of_the_request(connect, alice, bob, seq):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.send(conversation, "one")
    for request in ({"type": "edit", "text": "x"}, {"type": "delete"}):
        answer = await hers.problem(**request, conversation=conversation, seq=seq)
        assert answer["problem"] in ("/problems/validation", "/problems/not-found")
    assert messages(bob, conversation)["items"][0]["text"] == "one"


async def test_a_key_stays_with_the_first_text(connect, alice, bob):
    """A retry of the original send after an edit, or a deletion, is a duplicate; another text is a conflict."""
    conversation = direct(alice, bob)
    hers = await connect(alice)
    path = f"/conversations/{conversation}/messages"
    first = await hers.send(conversation, "original", key="e-1")
    await hers.ok("edit", conversation=conversation, seq=1, text="edited")
    again = await hers.send(conversation, "original", key="e-1")
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    assert alice.api.post(path, {"text": "original", "key": "e-1"}).status_code == 200
    await hers.problem("send", "idempotency-conflict", conversation=conversation, text="edited", key="e-1")
    problem_of(alice.api.post(path, {"text": "edited", "key": "e-1"}), {409, 422}, "idempotency-conflict")

    await hers.ok("delete", conversation=conversation, seq=1)
    again = await hers.send(conversation, "original", key="e-1")
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    await hers.problem("send", "idempotency-conflict", conversation=conversation, text="other", key="e-1")
    [stored] = every_message(bob, conversation)
    assert stored["text"] == "", "a retry brings nothing back"


async def test_a_change_makes_nothing_unread_again(alice, bob):
    conversation = direct(alice, bob)
    for number in range(3):
        post_message(alice, conversation, f"{number}")
    assert bob.api.request("PUT", f"/conversations/{conversation}/read", json={"seq": 3}).status_code == 200
    assert edit(alice, conversation, 2, "changed").status_code == 200
    assert delete(alice, conversation, 3).status_code == 204
    assert conversation_of(bob, conversation)["unread"] == 0


async def test_an_alert_message_is_nobodys_to_edit(connect, administrator, alice):
    """Only messages of kind text are changed by their sender; the administrator may delete any."""
    noon = at("2026-02-03T12:00")
    device = create_device(administrator, alice, max_hourly_kwh=2)
    send(administrator, device, [interval(noon, noon.replace(hour=13), 3)])
    conversation = alice.api.post("/support").json()["id"]
    [alert] = messages(alice, conversation)["items"]
    assert alert["kind"] == "alert"
    for user in (alice, administrator):
        problem_of(edit(user, conversation, 1, "no alert"), 403, "forbidden")
    problem_of(delete(alice, conversation, 1), 403, "forbidden")
    assert delete(administrator, conversation, 1).status_code == 204


async def test_edits_of_many_at_once_end_the_same_for_all(connect, alice, bob):
    """Positions ascend on every connection; what was heard last is what is stored."""
    conversation = direct(alice, bob)
    phone, laptop, his = await connect(alice), await connect(alice), await connect(bob)
    await phone.send(conversation, "start")

    async def scribble(session, name):
        return [
            await session.ok("edit", conversation=conversation, seq=1, text=f"{name} {number}") for number in range(30)
        ]

    acks = sum(await asyncio.gather(scribble(phone, "phone"), scribble(laptop, "laptop")), [])
    await phone.send(conversation, "end")
    await his.expect("message", text="end")
    heard = his.of("message")
    assert [event["position"] for event in heard[1:-1]] == sorted(ack["position"] for ack in acks)
    stored = messages(bob, conversation)["items"][0]
    assert stored["text"] == heard[-2]["text"] and stored["position"] == heard[-2]["position"]


async def test_a_change_that_was_answered_outlives_a_kill(serve, seed):
    server = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(server)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    chance = random.Random(seed)
    for number in range(20):
        post_message(alice, conversation, f"{number}", key=f"{number}")
    expected = [f"{number}" for number in range(20)]
    for _ in range(3):
        client = await Client.open(server, alice.token)
        ear = await Client.open(server, bob.token)
        for _ in range(10):
            seq = chance.randint(1, 20)
            if chance.random() < 0.2:
                await client.ok("delete", conversation=conversation, seq=seq)
                expected[seq - 1] = ""
            elif expected[seq - 1]:
                expected[seq - 1] = f"{chance.random()}"
                await client.ok("edit", conversation=conversation, seq=seq, text=expected[seq - 1])
        server.kill()
        await ear.closed()
        server.start()
        stored = every_message(bob, conversation)
        assert [message["text"] for message in stored] == expected
        latest = {event["seq"]: event for event in ear.of("message")}
        for seq, event in latest.items():
            assert {"type": "message"} | stored[seq - 1] == event, "heard, but not so in the store"
        await client.close()
    again = alice.api.post(f"/conversations/{conversation}/messages", {"text": "7", "key": "7"})
    assert (again.status_code, again.json()["seq"]) == (200, 8), "the first text is known after a restart too"
