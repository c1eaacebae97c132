"""Slow, greedy and rude clients. Whatever they do, a healthy one beside them is answered as before, what they cost is
bounded, and their time is. (What never reads is in test_memory.py and test_bounds.py, broken bytes in
test_http_rules.py and test_bad_frames.py.)"""

import contextlib
import functools
import gc
import os
import resource
import select
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from harness.api import admin
from harness.raw import CLOSE, CONTINUATION, PING, PONG, TEXT, RawConnection, frame, handshake, text
from harness.witness import Witness, unharmed

pytestmark = pytest.mark.alone

MIB = 1 << 20
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
UPLOAD = (
    b"POST /api/v1/measurements HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
    b"Content-Type: application/x-ndjson\r\n"
)


@pytest.fixture(scope="module")
def elsewhere(server):
    """A healthy client of the shared server, which is left in peace."""
    witness = Witness(server, admin(server).token)
    yield witness
    witness.end()


@pytest.fixture
def attacked(elsewhere):
    """`with attacked(server, token, memory)`: what is done inside harms nobody."""
    return functools.partial(unharmed, elsewhere=elsewhere)


@contextlib.contextmanager
def crowd(server, count, first=b"", **options):
    """So many connections, each of which has sent `first`."""
    members = []
    try:
        for _ in range(count):
            members.append(RawConnection(server, **options))
            if first:
                members[-1].send(first)
        yield members
    finally:
        for member in members:
            member.socket.close()


def drip(members, byte, every, seconds):
    """One byte more of each, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for member in members:
            member.send(byte)
        time.sleep(every)


def ended(members, within) -> list:
    """What each has got up to its end; fails if one has not ended in that time."""
    deadline = time.monotonic() + within
    texts = []
    for member in members:
        member.socket.settimeout(max(0.01, deadline - time.monotonic()))
        texts.append(member.rest())
    return texts


def descriptors(server) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def processor_seconds(server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def eventually(condition, within=5):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


class Attack(threading.Thread):
    """Does one thing again and again, beside the test, with what processor time the server and its other clients leave:
    an attacker has a machine of its own."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once, self.rounds, self.failure = once, 0, None
        self.over = threading.Event()
        self.start()

    def run(self):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        try:
            while not self.over.is_set():
                self.once()
                self.rounds += 1
        except Exception as failure:
            self.failure = failure


def attack(seconds, *actions) -> list:
    """Runs these for so long, each in a thread; how often each came to its end."""
    threads = [Attack(action) for action in actions]
    time.sleep(seconds)
    for thread in threads:
        thread.over.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive() and thread.failure is None, thread.failure
    return [thread.rounds for thread in threads]


# Slow ones


def test_slowloris_heads_end_in_their_time_however_they_drip(serve, attacked):
    """A byte of the head every now and then moves no deadline: the head as a whole has its time."""
    running = serve("--header-timeout", "1500ms", "--rate-limit", "off")
    token = admin(running).token
    with attacked(running, token, 16 * MIB), crowd(running, 300, b"GET /livez HTTP/1.1\r\nHost: a\r\nA: ") as slow:
        drip(slow, b"b", every=0.2, seconds=2.5)
        answers = ended(slow, 1)
        # What drips into a connection that has ended is answered with a reset, which may destroy the answer.
        assert all(answer.startswith(b"HTTP/1.1 408 ") or not answer for answer in answers)
        assert sum(answer != b"" for answer in answers) > 250


def test_slow_bodies_cost_little_and_those_that_stop_end(serve, attacked):
    """`--body-timeout` is about progress: who makes some goes on, who makes none gets 408."""
    running = serve("--body-timeout", "1s", "--rate-limit", "off")
    token = admin(running).token
    upload = UPLOAD % token.encode()
    with attacked(running, token, 24 * MIB), contextlib.ExitStack() as all:
        dripping = [
            all.enter_context(crowd(running, 60, kind + b"Content-Length: 100\r\n\r\n")) for kind in (LOGIN, upload)]
        chunked = all.enter_context(crowd(running, 60, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n60\r\n"))
        stopped = [
            all.enter_context(crowd(running, 60, kind + b"Content-Length: 100\r\n\r\n{")) for kind in (LOGIN, upload)]
        going = [*dripping[0], *dripping[1], *chunked]
        drip(going, b"{", every=0.3, seconds=2.4)
        assert all_start(ended([*stopped[0], *stopped[1]], 1), b"HTTP/1.1 408 ")
        assert select.select([one.socket for one in going], [], [], 0)[0] == [], "none of these has been answered"
        assert all_start(ended(going, 3), b"HTTP/1.1 408 "), "and then they stop, too"


def test_a_peer_that_reads_slowly_is_served_and_one_that_reads_nothing_ends(serve, attacked):
    """`--send-timeout` is about progress, too. What waits for them is bounded."""
    running = serve("--send-timeout", "1s", "--rate-limit", "off")
    token = admin(running).token
    requests = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 50
    pings = frame(PING, b"x" * 125) * 500
    with attacked(running, token, 48 * MIB), contextlib.ExitStack() as all:
        slow = all.enter_context(crowd(running, 20, requests, receive_buffer=4096))
        deaf = all.enter_context(crowd(running, 20, requests, receive_buffer=4096))
        deaf_sockets = all.enter_context(crowd(running, 20, receive_buffer=4096))
        for one in deaf_sockets:
            one.upgrade(token)
            one.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    one.socket.send(pings)
        held = descriptors(running)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for one in slow:
                assert one.socket.recv(8192), "closed, though it reads"
            time.sleep(0.02)
        assert descriptors(running) <= held - 40, "those that read nothing are gone"
        for one in slow:
            assert one.socket.recv(1)


def test_half_a_handshake_ends_in_its_time(serve, attacked):
    """A WebSocket's opening that does not come to its end, one that its client gave up, a connection without a word."""
    running = serve("--header-timeout", "1s", "--rate-limit", "off")
    token = admin(running).token
    half = handshake(running, token)[:-2]
    with attacked(running, token, 16 * MIB), contextlib.ExitStack() as all:
        before = descriptors(running)
        given_up = all.enter_context(crowd(running, 200, half))
        for one in given_up:
            one.socket.shutdown(socket.SHUT_WR)
        assert set(ended(given_up, 0.9)) == {b""}, "there is nobody to wait for"
        waiting = all.enter_context(crowd(running, 200, half))
        silent = all.enter_context(crowd(running, 200))
        assert all_start(ended(waiting, 3), b"HTTP/1.1 408 ")
        assert set(ended(silent, 3)) == {b""}
        eventually(lambda: descriptors(running) <= before)


def all_start(texts, with_this) -> bool:
    return all(text.startswith(with_this) for text in texts)


# Greedy ones


def test_ten_thousand_idle_connections_cost_little(serve, attacked):
    running = serve("--rate-limit", "off")
    token, count = admin(running).token, 10_000
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < count + 500:
        pytest.skip(f"a process may have {limits[1]} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        with attacked(running, token, count * 2048), crowd(running, count, GET) as idle:
            for one in idle:
                assert one.response().status == 200
            eventually(lambda: descriptors(running) > count)
            assert all(one.socket.fileno() >= 0 for one in idle)
            idle[0].send(GET)
            idle[-1].send(GET)
            assert idle[0].response().status == idle[-1].response().status == 200, "they live"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_hundreds_that_time_out_together_hold_nobody_up(serve, attacked):
    """The timer wheel ends them all within moments of each other."""
    running = serve("--idle-timeout", "2s", "--rate-limit", "off")
    token = admin(running).token
    with attacked(running, token, 16 * MIB), crowd(running, 900, GET) as idle:
        for one in idle:
            assert one.response().status == 200
        assert set(ended(idle, 4)) == {b""}


def test_more_connections_than_may_be_are_told_so(serve, attacked):
    running = serve("--max-connections", "60", "--rate-limit", "off")
    token = admin(running).token
    # The connection of the log-in would end whenever Python likes, and make room for one who knocks.
    gc.collect()

    def knock():
        with RawConnection(running) as one:
            answer = one.rest()
        assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: 1\r\n" in answer, answer

    with attacked(running, token, 16 * MIB):
        with crowd(running, 80, GET) as some:
            held = [one for one in some if answer_of(one) == 200]
            assert len(held) == 58, "the healthy client has two"
            rounds = attack(1.5, knock, knock, knock)
            assert min(rounds) > 20
            held[0].send(GET)
            assert answer_of(held[0]) == 200
        eventually(lambda: serves(running))


def answer_of(connection):
    """The next answer's status; None at the end of the connection."""
    try:
        return connection.response().status
    except EOFError:
        return None


def serves(server) -> bool:
    with RawConnection(server) as one:
        one.send(GET)
        return answer_of(one) == 200


def test_without_a_descriptor_left_it_goes_on_with_what_it_has(serve, attacked):
    """New connections are taken and closed at once: in the queue they would keep the loop awake for ever."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    with attacked(running, boss.token, 16 * MIB), crowd(running, 40, GET) as held:
        for one in held:
            assert one.response().status == 200
        limit = 1 + max(int(path.name) for path in Path(f"/proc/{running.pid}/fd").iterdir())
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (limit, limit))
        with crowd(running, 30) as more:
            assert set(ended(more[-10:], 3)) == {b""}, "no descriptor for these"
            spent = processor_seconds(running)
            time.sleep(1)
            assert processor_seconds(running) - spent < 0.7, "the loop spins"
            held[0].send(
                b"POST /api/v1/support HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n" % boss.token.encode())
            assert held[0].response().status in (200, 201), "it still writes"
            held.pop().socket.close()
        eventually(lambda: serves(running))


def test_a_storm_of_resets_leaves_nothing_behind(serve, attacked):
    """Connections that end with a reset, in every state that one can be in."""
    running = serve("--rate-limit", "off")
    token = admin(running).token
    upload = UPLOAD % token.encode() + b"Content-Length: 1000\r\n\r\n{"
    states = [
        b"", GET[:20], GET, GET * 20, LOGIN + b"Content-Length: 100\r\n\r\n{", upload,
        LOGIN + b"Content-Length: 2\r\n\r\n{}", b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 5,
        handshake(running, token), handshake(running, token) + text(type="ping", id="1") * 20, b"bad\r\n\r\n",
        b"GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode(),
    ]

    def storm():
        for state in states:
            with RawConnection(running) as one:
                one.send(state)
                one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with attacked(running, token, 24 * MIB):
        before = descriptors(running)
        rounds = attack(2.5, storm, storm)
        assert sum(rounds) > 20
        eventually(lambda: descriptors(running) <= before)


@pytest.mark.parametrize(
    "kind", ["heads of many fields", "long heads", "long targets", "chunks of a byte", "extensions"])
def test_requests_made_to_be_dear_are_cheap_for_others(serve, attacked, kind):
    running = serve("--rate-limit", "off")
    token = admin(running).token
    chunked = LOGIN + b"Transfer-Encoding: chunked\r\n\r\n"
    request, status = {
        "heads of many fields": (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"A:b\r\n" * 3000 + b"\r\n", 431),
        "long heads": (b"GET /livez HTTP/1.1\r\nHost: a\r\nA: " + b"b" * MIB, 431),
        "long targets": (b"GET /" + b"a" * MIB, 414),
        "chunks of a byte": (chunked + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n", 400),
        "extensions": (chunked + b"1;a=b\r\nx\r\n" * 100_000 + b"0\r\n\r\n", 400),
    }[kind]

    def ask():
        with RawConnection(running) as one:
            one.send(request)
            # It may close while we are still sending: then our bytes draw a reset.
            assert answer_of(one) in (status, None)

    with attacked(running, token, 32 * MIB):
        rounds = attack(1.5, ask, ask)
        assert min(rounds) > 3


def test_pipelined_requests_beyond_measure_are_cheap_for_others(serve, attacked):
    """Each of these has thousands of requests waiting, all the time, and reads its answers."""
    running = serve("--rate-limit", "off")
    token = admin(running).token
    with attacked(running, token, 48 * MIB), crowd(running, 30) as greedy:
        sockets = {one.socket: memoryview(GET * 1500) for one in greedy}
        for one in sockets:
            one.setblocking(False)

        def pipeline():
            readable, writable, _ = select.select(sockets, sockets, [], 0.1)
            for one in readable:
                assert one.recv(MIB), "closed"
            for one in writable:
                sockets[one] = sockets[one][one.send(sockets[one]) :] or memoryview(GET * 1500)

        assert attack(3, pipeline)[0] > 1


# WebSockets


def flood(server, token, data):
    """An action that sends these frames again and again over one socket, and reads what comes of them."""
    one = RawConnection(server)
    one.upgrade(token)
    one.socket.setblocking(False)
    left = memoryview(data)

    def once():
        nonlocal left
        with contextlib.suppress(BlockingIOError):
            left = left[one.socket.send(left):] or memoryview(data)
        with contextlib.suppress(BlockingIOError):
            assert one.socket.recv(MIB), "closed"

    return once


EMPTY = frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 1000
PIECES = [frame(CONTINUATION, bytes([byte]), fin=False) for byte in b'{"type":"ping","id":"1"}' + b" " * 900]


@pytest.mark.parametrize(
    "data",
    [
        frame(PING, b"x" * 125) * 500,
        frame(PONG, b"x" * 125) * 500,
        EMPTY + frame(CONTINUATION, b'{"type":"ping","id":"1"}'),
        frame(TEXT, b"", fin=False) + b"".join(PIECES) + frame(CONTINUATION, b""),
        text(type="ping", id="1") * 500,
        text(type="typing", id="1", conversation="c1", active=True) * 500,
        frame(TEXT, b"[" * 60_000),
    ],
    ids=["pings", "pongs", "empty fragments", "tiny fragments", "requests", "requests that fail", "deep JSON"],
)
def test_a_flood_of_frames_is_cheap_for_others(serve, attacked, data):
    running = serve("--rate-limit", "off")
    token = admin(running).token
    with attacked(running, token, 24 * MIB):
        rounds = attack(2, flood(running, token, data), flood(running, token, data))
        assert min(rounds) > 20


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["empty", "tiny"])
def test_a_message_of_fragments_without_end_closes_with_1009(serve, piece):
    running = serve()
    with RawConnection(running) as one:
        one.upgrade(admin(running).token)
        one.send(frame(TEXT, piece, fin=False) + frame(CONTINUATION, piece, fin=False) * 1100)
        assert one.close_code() == 1009


# How long


TIME = 0.6
SLACK = 0.8  # a tick of the timer wheel, and a busy machine's scheduler


@contextlib.contextmanager
def takes(seconds):
    """Not less, and not much more."""
    began = time.monotonic()
    yield
    spent = time.monotonic() - began
    assert seconds - 0.05 <= spent <= seconds + SLACK, spent


@pytest.mark.parametrize(
    ("flag", "request_bytes", "answer"),
    [
        ("--header-timeout", b"", b""),
        ("--header-timeout", GET[:-2], b"HTTP/1.1 408 "),
        ("--body-timeout", LOGIN + b"Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408 "),
        ("--body-timeout", UPLOAD + b"Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408 "),
    ],
    ids=["not a byte", "a head", "a body", "a body that is stored as it comes"],
)
def test_what_does_not_come_is_waited_for_in_its_time(serve, flag, request_bytes, answer):
    running = serve(flag, f"{int(TIME * 1000)}ms", "--rate-limit", "off")
    token = admin(running).token.encode()
    with RawConnection(running) as one, takes(TIME):
        one.send(request_bytes.replace(b"%s", token))
        got = one.rest()
        assert got.startswith(answer) and bool(got) == bool(answer), got


def test_an_idle_connection_is_kept_for_its_time(serve):
    running = serve("--idle-timeout", f"{int(TIME * 1000)}ms")
    with RawConnection(running) as one:
        for _ in range(2):
            one.send(GET)
            assert one.response().status == 200
            time.sleep(TIME / 2)
        with takes(TIME / 2):
            assert one.rest() == b""


def test_a_peer_that_takes_nothing_is_kept_for_its_time(serve):
    running = serve("--send-timeout", f"{int(TIME * 1000)}ms")
    with RawConnection(running, receive_buffer=4096) as one, RawConnection(running) as later:
        # Whoever came later is served: both have been accepted, and nobody else comes or goes.
        later.send(GET)
        assert later.response().status == 200
        before = descriptors(running)
        with takes(TIME):
            one.send(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
            eventually(lambda: descriptors(running) < before)


def test_a_websocket_is_kept_for_three_pings_that_nobody_answers(serve):
    running = serve("--heartbeat", "200ms")
    with RawConnection(running) as one:
        one.upgrade(admin(running).token)
        opcodes = []
        with takes(4 * 0.2), pytest.raises(EOFError):
            while True:
                opcodes.append(one.frame().opcode)
        assert opcodes.count(PING) == 3 and CLOSE not in opcodes


def test_a_close_frame_that_nobody_answers_is_waited_for_in_its_time(serve):
    running = serve("--header-timeout", f"{int(TIME * 1000)}ms")
    user = admin(running)
    with RawConnection(running) as one:
        one.upgrade(user.token)
        one.message(type="hello")
        assert user.api.post("/auth/logout").status_code == 204
        with takes(TIME):
            assert one.frame_of(CLOSE).close_code == 4500
            assert one.rest() == b""
