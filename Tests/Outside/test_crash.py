"""Contract §1: nothing acknowledged is ever lost, after `kill -9` too. §3 rules 1 to 3 across the crash.

Each round: sessions send into several conversations as fast as their acknowledgements allow, the server is
killed at a random moment and started again on the same data. Then the store is read back and compared with
everything that any client was told, and whatever was not acknowledged is sent again.
"""

import asyncio
import itertools
import os
import random
from dataclasses import dataclass, field

import pytest
from websockets.exceptions import ConnectionClosed

from harness.api import User, admin, create_user, direct, every_message, group
from harness.client import Client
from harness.server import Server

WINDOW = 4  # messages of one sender on their way


@dataclass
class Sent:
    """A message as its sender remembers it. The text is its own name: the store need not tell the key."""

    key: str
    text: str
    answer: dict = None


@dataclass
class Sender:
    """Sends into one conversation, in order."""

    name: str
    user: User
    conversation: str
    sent: list = field(default_factory=list)

    def next(self) -> Sent:
        number = len(self.sent)
        self.sent.append(Sent(f"{self.name}/{number}", f"{self.name} says {number}"))
        return self.sent[-1]

    @property
    def unanswered(self) -> list:
        return [message for message in self.sent if message.answer is None]

    async def transmit(self, client, message):
        """Puts the message on the wire; the task that is returned notes the answer."""
        waiting = await client.begin(
            "send", conversation=self.conversation, key=message.key, text=message.text
        )

        async def note():
            answer = await waiting
            assert answer["type"] == "ok", answer
            message.answer = answer

        return asyncio.create_task(note())

    async def run(self, server):
        """Until the server is gone: keeps up to WINDOW messages on their way."""
        client = await Client.open(server, self.user.token)
        pending = set()
        try:
            while True:
                while len(pending) < WINDOW:
                    pending.add(await self.transmit(client, self.next()))
                done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                pending -= done
        except (ConnectionError, ConnectionClosed):
            pass
        finally:
            outcomes = await asyncio.gather(*pending, return_exceptions=True)
            for outcome in outcomes:
                assert outcome is None or isinstance(outcome, (ConnectionError, ConnectionClosed)), outcome
            await client.close()


@dataclass
class World:
    server: object
    users: list
    conversations: dict  # id → a member who reads it
    senders: list
    heard: list = field(default_factory=list)  # every `message` event that any receiver saw
    stored: dict = field(default_factory=dict)  # conversation → all its messages, as last read

    async def receive(self, user):
        client = await Client.open(self.server, user.token)
        await client.closed(timeout=60)
        self.heard += client.of("message")


def build_world(server) -> World:
    administrator = admin(server)
    users = [create_user(administrator, name) for name in ("alice", "bob", "carol")]
    alice, bob, carol = users
    conversations = {
        direct(alice, bob): bob,
        direct(bob, carol): carol,
        group(alice, bob, carol): alice,
        group(carol, alice): alice,
    }
    pairs, everyone, two = list(conversations)[:2], *list(conversations)[2:]
    places = [
        (alice, pairs[0]),
        (bob, pairs[0]),
        (bob, pairs[1]),
        (alice, everyone),
        (carol, everyone),
        (carol, two),
    ]
    senders = [Sender(f"sender-{number}", *place) for number, place in enumerate(places)]
    return World(server, users, conversations, senders)


async def run_until_killed(world, delay):
    """One burst of traffic, cut off after `delay` seconds."""
    tasks = [asyncio.create_task(world.receive(user)) for user in world.users]
    tasks += [asyncio.create_task(sender.run(world.server)) for sender in world.senders]
    await asyncio.sleep(delay)
    for task in tasks:
        assert not task.done() or task.exception() is None, task.exception()
    world.server.kill()
    await asyncio.gather(*tasks)


def read_back(world):
    """The new end of every conversation, through REST; what was read before must be there still."""
    for conversation, reader in world.conversations.items():
        known = world.stored.setdefault(conversation, [])
        known += every_message(reader, conversation, after_seq=len(known))


def check_store(world):
    """What is true of the store, whatever was acknowledged."""
    for conversation, stored in world.stored.items():
        assert [message["seq"] for message in stored] == list(range(1, len(stored) + 1)), "gapless from 1"
        positions = [message["position"] for message in stored]
        assert all(one < other for one, other in itertools.pairwise(positions)), "positions in commit order"
        texts = [message["text"] for message in stored]
        assert len(texts) == len(set(texts)), "nothing is there twice"
        for sender in world.senders:
            if sender.conversation == conversation:
                check_order(sender, texts)


def check_order(sender, texts):
    numbers = [int(text.rsplit(" ", 1)[1]) for text in texts if text.startswith(sender.name + " ")]
    assert numbers == sorted(numbers), f"{sender.name} is out of order: {numbers}"
    assert numbers == list(range(len(numbers))), (
        "a sender's messages are there up to some point, and none after it"
    )


def check_promises(world):
    """What anyone was told is so."""
    for sender in world.senders:
        by_text = {message["text"]: message for message in world.stored[sender.conversation]}
        for message in sender.sent:
            if message.answer is not None:
                stored = by_text.get(message.text)
                assert stored is not None, f"acknowledged and lost: {message}"
                for name in ("seq", "position", "timestamp"):
                    assert stored[name] == message.answer[name], (stored, message)
                assert stored["sender"] == sender.user.id
    for event in world.heard:
        stored = world.stored[event["conversation"]][event["seq"] - 1]
        for name in ("text", "sender", "position", "timestamp"):
            assert stored[name] == event[name], f"heard, but not so in the store: {event} {stored}"


async def send_again(world):
    """Retries, in order, all that was not acknowledged; tells how many were in the store already."""
    landed = 0
    for sender in world.senders:
        already = {message["text"] for message in world.stored[sender.conversation]}
        client = await Client.open(world.server, sender.user.token)
        assert client.hello["position"] >= max(m["position"] for part in world.stored.values() for m in part)
        for message in sender.unanswered:
            await (await sender.transmit(client, message))
            assert message.answer["duplicate"] == (message.text in already), message
            landed += message.text in already
        await client.close()
    return landed


async def epoch(world) -> str:
    client = await Client.open(world.server, world.users[0].token)
    await client.close()
    return client.hello["epoch"]


@pytest.fixture
def rounds(request) -> int:
    return request.config.getoption("--rounds") or int(os.environ.get("WATTLOOP_TEST_ROUNDS", "20"))


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(serve, rounds, seed):
    chance = random.Random(seed)
    server = serve("--rate-limit", "off", "--access-ttl", "24h")
    world = build_world(server)
    first_epoch = await epoch(world)
    landed = 0
    for _ in range(rounds):
        await run_until_killed(world, delay=chance.uniform(0.05, 0.8))
        server.start()
        read_back(world)
        check_store(world)
        check_promises(world)
        landed += await send_again(world)
        read_back(world)
        check_store(world)
        check_promises(world)

    # Once more from the start: no round has changed what an earlier one had stored.
    before, world.stored = world.stored, {}
    read_back(world)
    assert world.stored == before
    check_promises(world)
    assert await epoch(world) == first_epoch
    server.stop()
    sent = sum(len(sender.sent) for sender in world.senders)
    print(f"{rounds} rounds, {sent} messages, {len(world.heard)} heard, {landed} stored but not acknowledged")
    assert sent > rounds and world.heard


async def test_a_kill_while_starting_leaves_a_store_that_opens(serve, seed):
    chance = random.Random(seed)
    server = serve("--rate-limit", "off")
    world = build_world(server)
    alice, conversation = world.users[0], next(iter(world.conversations))
    client = await Client.open(server, alice.token)
    acknowledged = [(await client.send(conversation, f"{number}"))["seq"] for number in range(20)]
    server.kill()
    await client.close()
    for _ in range(5):
        server.start_only()
        await asyncio.sleep(chance.uniform(0, 0.1))
        server.kill()
    server.start()
    assert [message["seq"] for message in every_message(alice, conversation)] == acknowledged
    server.stop()


async def test_a_kill_during_the_very_first_start_leaves_a_directory_that_starts(program, tmp_path, seed):
    chance = random.Random(seed)
    for attempt in range(5):
        server = Server(tmp_path / f"new-{attempt}", "--rate-limit", "off")
        server.start_only()
        await asyncio.sleep(chance.uniform(0, 0.15))
        server.kill()
        server.start()
        assert admin(server).role == "admin"
        server.stop()
