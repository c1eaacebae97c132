"""What waits for a connection is bounded; a user's rate is a user's, whatever its connections do."""

import asyncio

from harness.api import admin, create_user, direct, fresh_key, group, post_message, problem_of
from harness.client import Client
from harness.raw import RawConnection


async def test_the_rate_is_kept_over_connections_and_rest(serve):
    server = serve("--send-rate", "5")
    administrator = admin(server)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    pair = direct(alice, bob)
    refused = 0
    for _ in range(4):
        session = await Client.open(server, alice.token)
        for _ in range(4):
            answer = await session.request("send", conversation=pair, key=fresh_key(), text="x")
            if answer["type"] == "error":
                assert answer["problem"] == "/problems/rate-limited" and answer["temporary"] is True
                assert answer["retry_after_ms"] > 0
                refused += 1
        await session.close()
    assert refused >= 4, "a new connection is no new allowance"
    answers = [
        alice.api.post(f"/conversations/{pair}/messages", {"text": "x", "key": fresh_key()}) for _ in range(12)
    ]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited and int(limited[0].headers["Retry-After"]) >= 1
    problem_of(limited[0], 429, "rate-limited")
    await asyncio.sleep(limited[0].json()["retry_after_ms"] / 1000 + 0.3)
    post_message(alice, pair, "after a while")
    post_message(bob, pair, "others have their own")


async def test_typing_counts_against_the_rate(serve):
    server = serve("--send-rate", "5")
    administrator = admin(server)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    pair = direct(alice, bob)
    session = await Client.open(server, alice.token)
    answers = [await session.request("typing", conversation=pair, active=bool(n % 2)) for n in range(20)]
    assert [answer["problem"] for answer in answers if answer["type"] == "error"].count("/problems/rate-limited") >= 5
    await session.close()


async def test_a_peer_that_does_not_read_loses_typing_before_messages(serve):
    """Much waits for a silent reader: it is spared what it can do without, and gets every message."""
    server = serve("--rate-limit", "off")
    administrator = admin(server)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    pair = direct(alice, bob)
    slow, sender = await Client.open(server, bob.token), await Client.open(server, alice.token)
    await slow.settle()
    slow.connection.transport.pause_reading()
    sent = 0
    for _ in range(40):  # 600 kB, and a kernel buffer or two
        for _ in range(5):
            await sender.send(pair, "m" * 7500)
            sent += 1
        await sender.ok("typing", conversation=pair, active=True)
    slow.connection.transport.resume_reading()
    for _ in range(200):
        if len(slow.of("message")) == sent or slow.close_code is not None:
            break
        await asyncio.sleep(0.05)
    if slow.close_code is None:
        assert [event["seq"] for event in slow.of("message")] == list(range(1, sent + 1))
        assert len(slow.of("typing")) < 80, "some of the marks were dropped"
    else:
        assert slow.close_code == 4008
    await slow.close()
    await sender.close()
