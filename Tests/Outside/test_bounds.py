"""Contract §3 rule 7: what waits for a client is bounded, a slow one harms nobody, and nobody sends too fast."""

import asyncio
import json
import threading
import time

import pytest

from harness.api import admin, create_user, direct, every_message, fresh_key, group
from harness.chat import positions, send_many
from harness.client import Client
from harness.raw import CLOSE, RawConnection, text

SLOW = 4008
LONG = "x" * 7900


def people(running, *names) -> list:
    boss = admin(running)
    return [create_user(boss, name) for name in names]


def rest_of(raw) -> tuple:
    """The JSON messages up to the end, and the close code (None when the connection just ended)."""
    got = []
    while True:
        try:
            frame = raw.frame()
        except (EOFError, ConnectionResetError):
            return got, None
        if frame.opcode == CLOSE:
            return got, frame.close_code
        got.append(json.loads(frame.payload))


async def test_a_slow_reader_is_closed_with_4008_and_others_go_on(serve):
    """The send buffer is full: 4008. What it got is a front part without gaps, and a resume gives the rest."""
    running = serve("--rate-limit", "off", "--send-buffer", "256KiB")
    alice, bob, carol = people(running, "alice", "bob", "carol")
    conversation = group(alice, bob, carol)
    healthy, mouth = await Client.open(running, carol.token), await Client.open(running, alice.token)
    with RawConnection(running, receive_buffer=4096) as deaf:
        deaf.upgrade(bob.token)
        hello = await asyncio.to_thread(deaf.message, type="hello")
        await asyncio.sleep(0.5)  # live: what it does not read waits for it in the send buffer
        acks = await send_many(mouth, conversation, [f"{n} {LONG}" for n in range(2000)], at_once=20)
        wanted = [ack["position"] for ack in acks]
        await healthy.expect("message", seq=2000)
        assert positions(healthy)[-2000:] == wanted and healthy.close_code is None
        got, code = await asyncio.to_thread(rest_of, deaf)
    assert code == SLOW
    heard = [one["position"] for one in got if one["type"] == "message"]
    assert heard == wanted[: len(heard)] and len(heard) < 2000
    back = await Client.open(running, bob.token)
    await back.ok("resume", epoch=hello["epoch"], position=heard[-1] if heard else hello["position"])
    again = [event["position"] for event in back.of("message")]
    assert heard + again == wanted
    for client in (healthy, mouth, back):
        await client.close()


def drain(raw, until: bytes) -> bytes:
    """Everything up to and with these bytes, as it came."""
    parts, tail = [raw.buffer], raw.buffer
    while until not in tail:
        parts.append(raw.socket.recv(1 << 20))
        assert parts[-1], "closed"
        tail = tail[-len(until) :] + parts[-1]
    return b"".join(parts)


async def test_typing_is_dropped_and_messages_are_kept(serve):
    """A client that does not read for a while: of very many marks only some come, every message does, and it stays."""
    running = serve("--rate-limit", "off")
    alice, bob, carol = people(running, "alice", "bob", "carol")
    conversation = group(alice, bob, carol)
    rounds = 40
    marks = b"".join(
        text(type="typing", id="t", conversation=conversation, active=number % 2 == 0) for number in range(1000)
    )

    def talk(mouth):
        for number in range(rounds):
            said = text(type="send", id="s", conversation=conversation, text=f"kept {number}.", key=fresh_key())
            mouth.send(marks * 6 + said)

    with (
        RawConnection(running, receive_buffer=4096) as deaf,
        RawConnection(running) as ear,
        RawConnection(running) as mouth,
    ):
        for raw, user in ((deaf, bob), (ear, carol), (mouth, alice)):
            raw.upgrade(user.token)
        await asyncio.sleep(0.5)
        last = f"kept {rounds - 1}.".encode()
        hearing = asyncio.create_task(asyncio.to_thread(drain, ear, last))
        answers = asyncio.create_task(asyncio.to_thread(drain, mouth, f'"seq":{rounds},'.encode()))
        await asyncio.to_thread(talk, mouth)
        heard, _ = await hearing, await answers
        late = await asyncio.to_thread(drain, deaf, last)
        assert late.count(b'"type":"message"') == heard.count(b'"type":"message"') == rounds
        for number in range(rounds):
            assert f'"kept {number}."'.encode() in late, "not one message is missing"
        assert 0 < late.count(b'"type":"typing"') < heard.count(b'"type":"typing"'), "marks were dropped"
        deaf.buffer = b""
        deaf.send(text(type="ping", id="p"))
        assert await asyncio.to_thread(drain, deaf, b'"server_time"')


# The rate


def refused(answers) -> list:
    assert {one["type"] for one in answers} <= {"ok", "error"}
    errors = [one for one in answers if one["type"] == "error"]
    for one in errors:
        assert (one["problem"], one["status"], one["temporary"]) == ("/problems/rate-limited", 429, True)
        assert 0 < one["retry_after_ms"] <= 60_000
    return errors


async def burst(client, conversation, count) -> list:
    waiting = [
        await client.begin("send", conversation=conversation, text="x", key=fresh_key()) for _ in range(count)
    ]
    return await asyncio.gather(*waiting)


@pytest.fixture
async def limited(serve):
    """A server that lets each user send 20 messages a second; Alice, Bob, and their conversation."""
    running = serve("--send-rate", "20")
    alice, bob = people(running, "alice", "bob")
    return running, alice, bob, direct(alice, bob)


async def test_the_rate_is_the_users_over_all_sessions_and_reconnects(limited):
    """Neither a second socket nor a new one brings a fresh allowance; another user has an own one."""
    running, alice, bob, conversation = limited
    one, other = await Client.open(running, alice.token), await Client.open(running, alice.token)
    began = time.monotonic()
    answers = await burst(one, conversation, 60)
    assert refused(answers)
    await one.close()
    answers += await burst(other, conversation, 60)
    for _ in range(4):
        fresh = await Client.open(running, alice.token)
        answers += await burst(fresh, conversation, 30)
        await fresh.close()
    spent = time.monotonic() - began
    taken = len(answers) - len(refused(answers))
    # A bucket of one or two seconds' worth at most, and what came in since.
    assert 20 <= taken <= 40 + 20 * spent + 2, (taken, spent)
    his = await Client.open(running, bob.token)
    assert refused(await burst(his, conversation, 10)) == []
    assert len(every_message(bob, conversation)) == taken + 10
    for client in (other, his):
        await client.close()


async def test_rest_and_websocket_share_one_rate(limited):
    running, alice, bob, conversation = limited
    client = await Client.open(running, alice.token)
    assert refused(await burst(client, conversation, 80))
    answer = await asyncio.to_thread(
        alice.api.post, f"/conversations/{conversation}/messages", {"text": "x", "key": fresh_key()})
    # A single token may have come back since: two more in a row do not pass.
    codes = [answer.status_code]
    while codes[-1] == 201 and len(codes) < 60:
        answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": "x", "key": fresh_key()})
        codes.append(answer.status_code)
    assert codes[-1] == 429 and len(codes) < 20, codes
    assert answer.json()["type"] == "/problems/rate-limited" and int(answer.headers["Retry-After"]) >= 1
    await client.close()

    # And the other way round.
    await asyncio.sleep(2.2)
    spent = []
    while len(spent) < 200:
        answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": "x", "key": fresh_key()})
        spent.append(answer.status_code)
        if spent[-1] == 429:
            break
    assert spent[-1] == 429
    client = await Client.open(running, alice.token)
    answers = await burst(client, conversation, 10)
    assert len(refused(answers)) >= 7
    await client.close()


async def test_typing_counts_against_the_rate(limited):
    running, alice, bob, conversation = limited
    client = await Client.open(running, alice.token)
    waiting = [
        await client.begin("typing", conversation=conversation, active=number % 2 == 0) for number in range(80)
    ]
    assert refused(await asyncio.gather(*waiting))
    await client.close()


async def test_after_the_time_that_it_was_told_it_goes_on(limited):
    running, alice, bob, conversation = limited
    client = await Client.open(running, alice.token)
    answers = await burst(client, conversation, 60)
    wait = max(one["retry_after_ms"] for one in refused(answers))
    await asyncio.sleep(wait / 1000 + 0.1)
    assert (await client.send(conversation, "at last"))["duplicate"] is False
    texts = [one["seq"] for one in every_message(bob, conversation)]
    assert texts == list(range(1, len(texts) + 1)), "what was refused took no place"
    await client.close()


async def test_what_is_refused_uses_up_no_key_and_ends_no_socket(limited):
    running, alice, bob, conversation = limited
    client = await Client.open(running, alice.token)
    keys = [fresh_key() for _ in range(70)]
    left = list(keys)
    for _ in range(30):
        waiting = [await client.begin("send", conversation=conversation, text="x", key=key) for key in left]
        answers = await asyncio.gather(*waiting)
        left = [key for key, one in zip(left, answers) if one["type"] == "error"]
        if not left:
            break
        await asyncio.sleep(max(one["retry_after_ms"] for one in refused(answers)) / 1000 + 0.2)
    assert left == [] and len(every_message(bob, conversation)) == 70
    await client.close()


async def test_without_limits_hello_says_none(serve):
    running = serve("--rate-limit", "off")
    [alice] = people(running, "alice")
    client = await Client.open(running, alice.token)
    assert client.hello["limits"]["send_rate"] is None and client.hello["limits"]["message_bytes"] == 65536
    await client.close()


# A full queue


def flood(raw, conversation, count) -> dict:
    """Sends so many long messages without a pause and reads beside it; number → its answer."""
    frames = [
        text(type="send", id=str(number), conversation=conversation, text=LONG, key=f"{conversation} {number}")
        for number in range(count)
    ]
    sending = threading.Thread(target=raw.send, args=(b"".join(frames),), daemon=True)
    sending.start()
    answers = {}
    while len(answers) < count:
        message = raw.message()
        if "id" in message:
            assert answers.setdefault(message["id"], message) is message, "one answer to each request"
    sending.join()
    return answers


async def test_more_than_the_server_can_write_is_busy_and_nothing_is_lost(serve):
    """Every request of a flood is answered: `ok`, or `busy` with a time to come again, and then it may."""
    running = serve("--rate-limit", "off")
    bob, *senders = people(running, "bob", *["sender"] * 12)
    conversations = [direct(sender, bob) for sender in senders]
    before, count = running.resident_bytes(), 700
    raws = [RawConnection(running, timeout=30) for _ in senders]
    for raw, sender in zip(raws, senders):
        raw.upgrade(sender.token)
    everything = await asyncio.gather(*[
        asyncio.to_thread(flood, raw, conversation, count) for raw, conversation in zip(raws, conversations)])
    assert running.resident_bytes() - before < 160 << 20
    for raw in raws:
        raw.socket.close()
    for sender, conversation, answers in zip(senders, conversations, everything):
        busy = [number for number, answer in answers.items() if answer["type"] == "error"]
        for number in busy:
            answer = answers[number]
            assert (answer["problem"], answer["status"], answer["temporary"]) == ("/problems/busy", 503, True)
            assert answer["retry_after_ms"] > 0
        taken = [answer["seq"] for answer in answers.values() if answer["type"] == "ok"]
        assert sorted(taken) == list(range(1, len(taken) + 1)), "what was refused took no place"
        client = await Client.open(running, sender.token)
        for number in busy:
            again = await client.send(conversation, LONG, key=f"{conversation} {number}")
            assert again["duplicate"] is False
        await client.close()
        shown = bob.api.get(f"/conversations/{conversation}").json()
        assert shown["last_seq"] == shown["unread"] == count


async def test_a_flood_of_one_does_not_silence_another(serve):
    """While somebody sends as fast as can be, others' requests are answered in good time."""
    running = serve("--rate-limit", "off")
    alice, bob, carol = people(running, "alice", "bob", "carol")
    noisy, calm = direct(alice, bob), direct(bob, carol)
    flooding = [await Client.open(running, alice.token) for _ in range(4)]
    quiet = await Client.open(running, carol.token)
    floods = [asyncio.create_task(send_many(client, noisy, ["x"] * 1500, at_once=300)) for client in flooding]
    slowest = 0
    while not all(flood.done() for flood in floods):
        began = time.monotonic()
        await quiet.send(calm, "hello")
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.02)
    await asyncio.gather(*floods)
    assert slowest < 2, slowest
    for client in (*flooding, quiet):
        await client.close()


async def test_a_request_is_bounded_and_the_socket_is_not_lost(serve):
    """Beyond --max-message the socket is closed with 1009; just below, the message is looked at."""
    running = serve("--rate-limit", "off", "--max-message", "20KiB")
    alice, bob = people(running, "alice", "bob")
    conversation = direct(alice, bob)
    client = await Client.open(running, alice.token)
    assert client.hello["limits"]["message_bytes"] == 20480
    await client.problem("send", "validation", conversation=conversation, text="x" * 20_000, key="k")
    assert (await client.send(conversation, LONG))["seq"] == 1
    with RawConnection(running) as raw:
        raw.upgrade(alice.token)
        raw.send(text(type="send", id="1", conversation=conversation, text="x" * 30_000, key="k"))
        assert await asyncio.to_thread(raw.close_code) == 1009
    await client.ok("ping")
    await client.close()


async def test_a_hundred_that_do_not_read_slow_nobody_down(serve):
    """What waits for each is bounded, and so is the time that the others wait."""
    running = serve("--rate-limit", "off", "--send-buffer", "256KiB")
    boss = admin(running)
    alice, bob, carol = [create_user(boss, name) for name in ("alice", "bob", "carol")]
    conversation = group(alice, bob, carol)
    mouth, healthy = await Client.open(running, alice.token), await Client.open(running, carol.token)
    before = running.resident_bytes()
    deaf = [RawConnection(running, receive_buffer=4096) for _ in range(100)]
    for one in deaf:
        one.upgrade(bob.token)
    peak = before
    for number in range(60):
        await send_many(mouth, conversation, ["x" * 7500] * 5)
        await healthy.expect("message", timeout=5, seq=5 * (number + 1))
        peak = max(peak, running.resident_bytes())
    for one in deaf:
        one.socket.close()
    # 100 times a send buffer, and what the allocator keeps.
    assert peak - before < 100 * 512 * 1024
    assert len(every_message(bob, conversation)) == 300
    for client in (mouth, healthy):
        await client.close()
