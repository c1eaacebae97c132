"""Contract §3, the rules: who hears what, in which order, how often."""

import asyncio

import pytest

from harness.api import TIME, direct, every_message, fresh_key, group, messages, post_message
from harness.client import Client
from harness.server import Server

EVENT = {"type", "position", "conversation", "seq", "sender", "timestamp", "kind", "text"}


async def test_two_users_chat(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    ok = await hers.send(conversation, 'Hello Bob ⚡ "quoted" \\ \n next line', key="k-1")
    assert (ok["seq"], ok["duplicate"], ok["durable"]) == (1, False, "disk")
    assert TIME.fullmatch(ok["timestamp"]) and TIME.fullmatch(ok["server_time"])
    assert ok["timestamp"] <= ok["server_time"], "it is answered after it was stored"

    heard = await his.expect("message")
    assert set(heard) == EVENT, "no `id`, no `key`, and no optional field that says nothing"
    assert (heard["conversation"], heard["seq"], heard["position"]) == (conversation, 1, ok["position"])
    assert (heard["sender"], heard["kind"]) == (alice.id, "text")
    assert heard["text"] == 'Hello Bob ⚡ "quoted" \\ \n next line'
    assert heard["timestamp"] == ok["timestamp"]

    assert (await his.send(conversation, "Hello Alice"))["seq"] == 2
    assert (await hers.expect("message"))["text"] == "Hello Alice"


async def test_the_session_that_sent_gets_the_answer_and_no_event(connect, alice, bob):
    hers = await connect(alice)
    await hers.send(direct(alice, bob), "to you")
    await hers.settle()
    assert hers.of("message") == []


async def test_the_senders_other_sessions_hear_it_too_with_the_key(connect, alice, bob):
    conversation = direct(alice, bob)
    phone, laptop = await connect(alice), await connect(alice)
    his = await connect(bob), await connect(bob)
    await phone.send(conversation, "from the phone", key="my-key")
    heard = await laptop.expect("message")
    assert (heard["text"], heard["key"], heard["sender"]) == ("from the phone", "my-key", alice.id)
    for session in his:
        assert "key" not in await session.expect("message", text="from the phone")


async def test_a_message_posted_over_rest_is_heard_by_every_session(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    posted = post_message(alice, conversation, "over REST", key="rest-key")
    assert (await his.expect("message"))["position"] == posted["position"]
    assert (await hers.expect("message"))["key"] == "rest-key"


async def test_every_member_of_a_group_hears_it_once_and_nobody_else_does(connect, alice, person):
    members = [person("member") for _ in range(5)]
    stranger = await connect(person("stranger"))
    conversation = group(alice, *members)
    sessions = [await connect(member) for member in members]
    hers = await connect(alice)
    await hers.send(conversation, "to all of you")
    for session in sessions:
        assert (await session.expect("message"))["text"] == "to all of you"
        await session.settle()
        assert len(session.of("message")) == 1
    await stranger.settle()
    assert stranger.of("message") == []


async def test_a_conversation_made_while_connected_is_heard(connect, alice, bob):
    his, hers = await connect(bob), await connect(alice)
    await hers.send(direct(alice, bob), "first words")
    assert (await his.expect("message"))["text"] == "first words"


async def test_seq_is_gapless_and_position_grows_while_everyone_sends_at_once(connect, alice, bob, person):
    carol = person("carol")
    conversations = [group(alice, bob, carol), direct(alice, bob)]
    ear = await connect(bob)
    mouths = [await connect(user) for user in (alice, alice, bob, carol)]

    async def talk(client, conversation, count=25):
        return [await client.send(conversation, f"{number}") for number in range(count)]

    acks = await asyncio.gather(
        *[talk(mouth, conversations[0]) for mouth in mouths],
        *[talk(mouth, conversations[1]) for mouth in mouths[:3]],
    )
    expected = [100, 75]
    for conversation, count, own in zip(conversations, expected, (acks[:4], acks[4:]), strict=True):
        assert sorted(ack["seq"] for talker in own for ack in talker) == list(range(1, count + 1))
        stored = every_message(alice, conversation)
        assert [message["seq"] for message in stored] == list(range(1, count + 1))
        positions = [message["position"] for message in stored]
        assert positions == sorted(set(positions))
    for _ in range(sum(expected)):
        await ear.expect("message")
    heard = ear.of("message")
    assert [event["position"] for event in heard] == sorted({event["position"] for event in heard})
    for conversation, count in zip(conversations, expected, strict=True):
        assert [e["seq"] for e in heard if e["conversation"] == conversation] == list(range(1, count + 1))


async def test_pipelined_messages_of_one_session_keep_their_order(connect, alice, bob):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    waiting = [
        await hers.begin("send", conversation=conversation, text=f"{number}", key=fresh_key())
        for number in range(1, 101)
    ]
    answers = await asyncio.gather(*waiting)
    assert [answer["seq"] for answer in answers] == list(range(1, 101))
    assert [message["text"] for message in every_message(bob, conversation)] == [
        str(n) for n in range(1, 101)
    ]


# Retries


async def test_a_retry_gives_the_first_seq_as_a_duplicate(connect, alice, bob):
    conversation, key = direct(alice, bob), fresh_key()
    hers, his = await connect(alice), await connect(bob)
    first = await hers.send(conversation, "once", key=key)
    await hers.send(conversation, "between")
    again = await hers.send(conversation, "once", key=key)
    assert (again["seq"], again["duplicate"], again["durable"]) == (first["seq"], True, "disk")
    assert (again["position"], again["timestamp"]) == (first["position"], first["timestamp"])
    assert again["server_time"] >= first["server_time"], "the answer's own, not the message's"
    await hers.send(conversation, "last")
    await his.expect("message", text="last")
    assert [event["text"] for event in his.of("message")] == ["once", "between", "last"]


async def test_a_retry_from_another_session_is_a_duplicate_too(connect, alice, bob):
    conversation, key = direct(alice, bob), fresh_key()
    first = await (await connect(alice)).send(conversation, "once", key=key)
    again = await (await connect(alice, "subprotocol")).send(conversation, "once", key=key)
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)


async def test_keys_are_one_space_for_rest_and_websocket(connect, alice, bob):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    path = f"/conversations/{conversation}/messages"

    sent = await hers.send(conversation, "socket first", key="a")
    answer = alice.api.post(path, {"text": "socket first", "key": "a"})
    assert (answer.status_code, answer.json()["seq"]) == (200, sent["seq"])

    posted = post_message(alice, conversation, "REST first", key="b")
    again = await hers.send(conversation, "REST first", key="b")
    assert (again["seq"], again["duplicate"]) == (posted["seq"], True)
    assert len(every_message(bob, conversation)) == 2


async def test_the_same_retry_many_times_at_once_is_one_message(connect, alice, bob):
    conversation, key = direct(alice, bob), fresh_key()
    sessions = [await connect(alice) for _ in range(4)]
    answers = await asyncio.gather(
        *[session.send(conversation, "at once", key=key) for session in sessions for _ in range(10)]
    )
    assert {answer["seq"] for answer in answers} == {1}
    assert [answer["duplicate"] for answer in answers].count(False) == 1
    assert len(every_message(bob, conversation)) == 1


async def test_the_same_key_with_another_text_is_a_conflict(connect, alice, bob):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.send(conversation, "first", key="k")
    await hers.problem("send", "idempotency-conflict", conversation=conversation, text="second", key="k")
    assert (await hers.send(conversation, "third"))["seq"] == 2


async def test_a_key_is_of_its_sender_over_all_conversations(connect, alice, bob, person):
    one, other = direct(alice, bob), direct(alice, person("carol"))
    hers = await connect(alice)
    await hers.send(one, "hello", key="k")
    answer = await hers.request("send", conversation=other, text="hello", key="k")
    # (sender, key) is unique: the second place is never written.
    assert answer["type"] == "error" or answer["duplicate"] is True
    assert messages(alice, other)["items"] == []


# Who may


async def test_the_sender_cannot_be_forged(connect, alice, bob):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.request(
        "send", conversation=conversation, text="I am Bob", key="k", sender=bob.id, user=bob.id
    )
    assert {message["sender"] for message in every_message(bob, conversation)} <= {alice.id}


async def test_a_stranger_gets_not_found_for_writing_and_reading(connect, alice, bob, person):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "secret")
    theirs = await connect(person("stranger"))
    await theirs.problem("send", "not-found", conversation=conversation, text="let me in", key="k")
    await theirs.problem("history", "not-found", conversation=conversation, after_seq=0, limit=10)
    assert len(every_message(bob, conversation)) == 1


@pytest.mark.parametrize(
    "conversation", ["no-such-conversation", "", "c0", "c99999999999999999999", "c-1", "x" * 5000]
)
async def test_an_unknown_conversation_is_not_found(connect, alice, conversation):
    hers = await connect(alice)
    answer = await hers.problem("send", conversation=conversation, text="hello?", key="k")
    assert answer["type"] == "error"
    await hers.settle()


# Text


async def test_text_is_trimmed(connect, alice, bob):
    conversation = direct(alice, bob)
    await (await connect(alice)).send(conversation, " \t\n  to the point \n ")
    assert messages(bob, conversation)["items"][0]["text"] == "to the point"


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * 8001], ids=["empty", "blank", "8001"])
async def test_text_beyond_the_limits_is_an_error(connect, alice, bob, text):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.problem("send", "validation", conversation=conversation, text=text, key="k")
    assert messages(bob, conversation)["items"] == []
    assert (await hers.send(conversation, "good", key="k"))["seq"] == 1, "a refused message uses up no key"


@pytest.mark.parametrize(
    "text",
    [
        "é" * 7999,
        "⚡",
        '"\\/\b\f',
        "</script>",
        "👩‍👩‍👧‍👦 e\u0301",
        "\U0010ffff",
        "\u202e right to left",
    ],
    ids=["8000", "bmp", "escapes", "html", "clusters", "last", "bidi"],
)
async def test_text_comes_out_as_it_went_in(connect, alice, bob, text):
    conversation = direct(alice, bob)
    his = await connect(bob)
    await (await connect(alice)).send(conversation, text + ".")
    assert (await his.expect("message"))["text"] == text + "."
    assert messages(bob, conversation)["items"][0]["text"] == text + "."


async def test_a_nul_comes_out_as_it_went_in_or_is_refused(connect, alice, bob):
    conversation, text = direct(alice, bob), "before \u0000 after"
    hers = await connect(alice)
    answer = await hers.request("send", conversation=conversation, text=text, key="k")
    stored = [message["text"] for message in messages(bob, conversation)["items"]]
    assert stored == ([text] if answer["type"] == "ok" else []), "never cut at the NUL"


# History


async def test_history_gives_pages_in_ascending_order(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    for number in range(1, 11):
        await hers.send(conversation, str(number))

    async def seqs(**query):
        answer = await his.ok("history", conversation=conversation, **query)
        return [message["seq"] for message in answer["messages"]], answer["more"]

    assert await seqs(after_seq=0, limit=4) == ([1, 2, 3, 4], True)
    assert await seqs(after_seq=4, limit=6) == ([5, 6, 7, 8, 9, 10], False)
    assert await seqs(after_seq=10, limit=4) == ([], False)
    assert await seqs(before_seq=5, limit=3) == ([2, 3, 4], True)
    assert await seqs(before_seq=5, limit=4) == ([1, 2, 3, 4], False)


async def test_history_of_long_messages_comes_in_pages_that_fit(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    for number in range(200):
        await hers.send(conversation, f"{number} " + "\u00fc" * 7900)

    forwards, backwards, reached = [], [], 201
    while True:
        answer = await his.ok("history", conversation=conversation, after_seq=len(forwards), limit=500)
        forwards += [message["seq"] for message in answer["messages"]]
        if not answer["more"]:
            break
    while True:
        answer = await his.ok("history", conversation=conversation, before_seq=reached, limit=500)
        backwards = [message["seq"] for message in answer["messages"]] + backwards
        reached = backwards[0]
        if not answer["more"]:
            break
    assert forwards == backwards == list(range(1, 201))


async def test_history_and_rest_and_the_event_are_the_same_message(connect, alice, bob):
    conversation = direct(alice, bob)
    his = await connect(bob)
    await (await connect(alice)).send(conversation, "the same everywhere")
    event = await his.expect("message")
    [past] = (await his.ok("history", conversation=conversation, after_seq=0, limit=10))["messages"]
    [stored] = messages(bob, conversation)["items"]
    for name in EVENT - {"type"}:
        assert event[name] == past[name] == stored[name]


async def test_what_was_said_while_away_is_in_the_history(connect, alice, bob, server: Server):
    conversation = direct(alice, bob)
    his = await Client.open(server, bob.token)
    await his.close()
    hers = await connect(alice)
    sent = [await hers.send(conversation, f"{number}") for number in range(3)]
    back = await connect(bob)
    assert back.hello["position"] >= sent[-1]["position"]
    past = await back.ok("history", conversation=conversation, after_seq=0, limit=10)
    assert [message["seq"] for message in past["messages"]] == [1, 2, 3]
