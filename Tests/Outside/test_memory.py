"""Contract §3 rule 7: peers that never read cost bounded memory, and others are served all the while."""

import asyncio
import threading
import time

import pytest

from harness.api import admin, create_user, direct, fresh_key, messages
from harness.client import Client
from harness.raw import PING, RawConnection, frame, text

MIB = 1 << 20
PEERS = 8
BOUND = (
    40 * MIB
)  # 8 peers: a send buffer of 1 MiB and what was read ahead for each, and the allocator's slack


class Flood(threading.Thread):
    """Sends the same bytes for some seconds or until it may send no more, and reads nothing."""

    def __init__(self, connection: RawConnection, data: bytes, seconds=3):
        super().__init__(daemon=True)
        self.connection, self.data = connection, data
        self.end = time.monotonic() + seconds
        self.sent = 0

    def run(self):
        self.connection.socket.settimeout(0.2)
        while time.monotonic() < self.end:
            try:
                self.sent += self.connection.socket.send(self.data)
            except TimeoutError:
                continue  # pushed back: as it should be
            except OSError:
                return  # closed: fine too


def flood(server, connections, data) -> int:
    """The peak growth of the server's memory while all of them send; another client is served meanwhile."""
    before = peak = server.resident_bytes()
    floods = [Flood(connection, data) for connection in connections]
    for one in floods:
        one.start()
    served = 0
    while any(one.is_alive() for one in floods):
        with RawConnection(server, timeout=5) as other:
            other.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.response().status == 200
            served += 1
        peak = max(peak, server.resident_bytes())
        time.sleep(0.02)
    assert served > 0
    assert all(one.sent > 0 for one in floods)
    return peak - before


@pytest.fixture
def own(serve):
    return serve("--rate-limit", "off")


@pytest.mark.parametrize("path", [b"/livez", b"/no/such/page", b"/api/v1/users/me"])
def test_pipelined_requests_that_are_never_read_are_bounded(own, path):
    token = admin(own).token.encode()
    request = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
    peers = [RawConnection(own, receive_buffer=4096) for _ in range(PEERS)]
    assert flood(own, peers, request * 200) < BOUND
    for peer in peers:
        peer.socket.close()


@pytest.mark.parametrize(
    "data",
    [
        frame(PING, b"x" * 125) * 200,
        text(type="ping", id="x" * 100) * 200,
        text(type="nonsense", id="1") * 200,
    ],
    ids=["ping frames", "ping requests", "errors"],
)
def test_frames_whose_answers_are_never_read_are_bounded(own, data):
    token = admin(own).token
    peers = [RawConnection(own, receive_buffer=4096) for _ in range(PEERS)]
    for peer in peers:
        peer.upgrade(token)
    assert flood(own, peers, data) < BOUND
    for peer in peers:
        peer.socket.close()


def test_history_that_is_never_read_is_bounded(own):
    administrator = admin(own)
    alice, bob = create_user(administrator), create_user(administrator)
    conversation = direct(alice, bob)

    async def fill():
        client = await Client.open(own, alice.token)
        waiting = [
            await client.begin("send", conversation=conversation, text="x" * 8000, key=fresh_key())
            for _ in range(100)
        ]
        answers = await asyncio.gather(*waiting)
        await client.close()
        return answers

    assert all(answer["type"] == "ok" for answer in asyncio.run(fill()))
    peers = [RawConnection(own, receive_buffer=4096) for _ in range(PEERS)]
    for peer in peers:
        peer.upgrade(alice.token)
    request = text(type="history", id="h", conversation=conversation, after_seq=0, limit=100)
    assert flood(own, peers, request * 20) < BOUND
    for peer in peers:
        peer.socket.close()


@pytest.mark.parametrize("asks_first", [False, True], ids=["new", "live"])
async def test_a_receiver_that_never_reads_is_cut_off_and_the_others_are_not(serve, asks_first):
    running = serve("--rate-limit", "off", "--send-buffer", "256KiB")
    administrator = admin(running)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    conversation = direct(alice, bob)
    count, size = 2500, 8000
    with RawConnection(running, receive_buffer=4096) as deaf:
        deaf.upgrade(bob.token)
        if asks_first:
            deaf.send(text(type="ping", id="1"))
        ear, mouth = await Client.open(running, bob.token), await Client.open(running, alice.token)
        await ear.settle()
        before = running.resident_bytes()
        for _ in range(count // 20):
            waiting = [
                await mouth.begin("send", conversation=conversation, text="x" * size, key=fresh_key())
                for _ in range(20)
            ]
            answers = await asyncio.gather(*waiting)
            assert all(answer["type"] == "ok" for answer in answers), answers
        for _ in range(count):
            await ear.expect("message")
        growth = running.resident_bytes() - before
        got = await asyncio.to_thread(deaf.rest)
        await mouth.close()
        await ear.close()
    assert growth < BOUND
    assert len(got) < count * size, "what waited for the deaf receiver was bounded"
    assert len(messages(alice, conversation, after_seq=count - 1)["items"]) == 1


def test_many_connections_that_say_nothing_cost_little(own):
    before = own.resident_bytes()
    idle = [RawConnection(own) for _ in range(500)]
    with RawConnection(own) as other:
        other.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.response().status == 200
    growth = own.resident_bytes() - before
    for connection in idle:
        connection.socket.close()
    assert growth < 500 * 8 * 1024


def test_heads_that_never_end_are_bounded(own):
    before = own.resident_bytes()
    slow = [RawConnection(own) for _ in range(200)]
    for connection in slow:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 15_000)
    with RawConnection(own) as other:
        other.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.response().status == 200
    growth = own.resident_bytes() - before
    for connection in slow:
        connection.socket.close()
    assert growth < 200 * 64 * 1024
