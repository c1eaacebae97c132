"""Contract §3 rule 3: `(sender, key)` is unique for ever: over REST and WebSocket, over sessions, restarts and all else."""

import asyncio
import random

import pytest

from harness.api import (
    CONFLICT, admin, create_user, direct, every_message, fresh_key, group, login, post_message, problem_of,
)  # fmt: skip
from harness.client import Client
from harness.chat import add, remove


class Answers:
    """Sends the same message in either way, and tells `(seq, position, timestamp, duplicate)`."""

    def __init__(self, server, user):
        self.server, self.user = server, user

    async def socket(self, conversation, text, key) -> tuple:
        client = await Client.open(self.server, self.user.token)
        answer = await client.send(conversation, text, key=key)
        await client.close()
        return answer["seq"], answer["position"], answer["timestamp"], answer["duplicate"]

    async def rest(self, conversation, text, key) -> tuple:
        answer = self.user.api.post(f"/conversations/{conversation}/messages", {"text": text, "key": key})
        assert answer.status_code in (200, 201), answer.text
        body = answer.json()
        return body["seq"], body["position"], body["timestamp"], answer.status_code == 200


@pytest.mark.parametrize("first", ["socket", "rest"])
async def test_a_retry_is_a_duplicate_whichever_way_and_after_a_kill(serve, first):
    server = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(server)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    ways = Answers(server, alice)
    *sent, duplicate = await getattr(ways, first)(conversation, " once ", "k")
    assert duplicate is False
    post_message(bob, conversation, "between")
    for _ in range(2):
        for way in (ways.socket, ways.rest):
            assert await way(conversation, "once", "k") == (*sent, True)
            assert await way(conversation, "once  ", "k") == (*sent, True), "trimmed, it is the same text"
        server.kill()
        server.start()
    client = await Client.open(server, alice.token)
    await client.problem("send", "idempotency-conflict", conversation=conversation, text="twice", key="k")
    answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": "twice", "key": "k"})
    problem_of(answer, CONFLICT, "idempotency-conflict")
    assert [message["text"] for message in every_message(bob, conversation)] == ["once", "between"]
    await client.close()


async def test_one_key_from_everywhere_at_once_is_one_message(connect, alice, bob, seed):
    """Sockets and REST, while the first is still on its way to the disk."""
    conversation, chance = direct(alice, bob), random.Random(seed)
    sessions = [await connect(alice) for _ in range(3)]
    for number in range(20):
        key, text = fresh_key(), f"{number}"
        path, body = f"/conversations/{conversation}/messages", {"text": text, "key": key}
        asked = [session.send(conversation, text, key=key) for session in sessions]
        asked += [asyncio.to_thread(alice.api.post, path, body)]
        chance.shuffle(asked)
        answers = await asyncio.gather(*asked)
        seqs = {answer["seq"] if isinstance(answer, dict) else answer.json()["seq"] for answer in answers}
        assert seqs == {number + 1}
        firsts = [not one["duplicate"] if isinstance(one, dict) else one.status_code == 201 for one in answers]
        assert firsts.count(True) == 1
    assert [message["text"] for message in every_message(bob, conversation)] == [f"{n}" for n in range(20)]


async def test_two_texts_under_one_key_at_once_are_one_message_and_a_conflict(connect, alice, bob):
    conversation = direct(alice, bob)
    one, other = await connect(alice), await connect(alice)
    for number in range(20):
        key = fresh_key()
        asked = [
            session.request("send", conversation=conversation, text=text, key=key)
            for session, text in ((one, "heads"), (other, "tails"))
        ]
        answers = await asyncio.gather(*asked)
        assert sorted(answer["type"] for answer in answers) == ["error", "ok"]
        assert [one["problem"] for one in answers if one["type"] == "error"] == ["/problems/idempotency-conflict"]
        assert len(every_message(bob, conversation)) == number + 1


async def test_a_key_is_the_senders_own(connect, alice, bob):
    conversation = direct(alice, bob)
    hers, his = await connect(alice), await connect(bob)
    assert (await hers.send(conversation, "same", key="k"))["seq"] == 1
    answer = await his.send(conversation, "same", key="k")
    assert (answer["seq"], answer["duplicate"]) == (2, False)


@pytest.mark.parametrize("key", ["k", "K", "k ", "ключ", "k" * 64], ids=ascii)
async def test_keys_that_differ_are_different(connect, alice, bob, key):
    conversation = direct(alice, bob)
    hers = await connect(alice)
    await hers.send(conversation, "first", key="other")
    answer = await hers.request("send", conversation=conversation, text="second", key=key)
    assert answer["type"] == "error" or (answer["seq"], answer["duplicate"]) == (2, False)


async def test_the_key_of_a_message_in_a_group_one_has_left_makes_no_second(connect, alice, bob):
    left, pair = group(alice, bob), direct(alice, bob)
    his = await connect(bob)
    await his.send(left, "once", key="k")
    remove(alice, left, bob)
    for conversation in (left, pair):
        answer = await his.request("send", conversation=conversation, text="once", key="k")
        assert answer["type"] == "error" or answer["duplicate"] is True
    assert every_message(bob, pair) == []
    add(alice, left, bob)
    again = await his.send(left, "once", key="k")
    assert (again["seq"], again["duplicate"]) == (1, True)


async def test_a_key_of_a_refused_message_is_free(connect, alice, bob, person):
    conversation, foreign = direct(alice, bob), direct(bob, person("carol"))
    hers = await connect(alice)
    await hers.problem("send", "validation", conversation=conversation, text=" ", key="k")
    await hers.problem("send", "not-found", conversation=foreign, text="let me in", key="k")
    answer = await hers.send(conversation, "good", key="k")
    assert (answer["seq"], answer["duplicate"]) == (1, False)


async def test_a_key_outlives_its_session_and_log_in(connect, server, alice, bob):
    conversation = direct(alice, bob)
    again = login(server, alice.username, alice.password)
    sent = await (await connect(alice)).send(conversation, "once", key="k")
    assert alice.api.post("/auth/logout").status_code == 204
    session = await connect(again)
    answer = await session.send(conversation, "once", key="k")
    assert (answer["seq"], answer["duplicate"]) == (sent["seq"], True)
