"""HTTPS and WSS: what clients get, what is refused, and that a new certificate disturbs nobody."""

import asyncio
import json
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests

from harness.api import admin, create_user, direct, fresh_key, messages
from harness.client import Client
from harness.server import REPOSITORY, environment, free_port, wattloop
from harness.tls import Certificate, TLSServer

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module", params=["ec", "rsa"])
def certificate(request, tmp_path_factory):
    return Certificate.make(tmp_path_factory.mktemp("tls"), kind=request.param)


@pytest.fixture(scope="module")
def secure(program, tmp_path_factory, certificate):
    """A server for what does not disturb others."""
    server = TLSServer(tmp_path_factory.mktemp("secure") / "data", certificate, "--rate-limit", "off").start()
    yield server
    server.stop()


@pytest.fixture
def serve_tls(program, tmp_path):
    """`serve_tls("--flag", …)`: a server of its own with a certificate that may be replaced."""
    started = []

    def start(*flags) -> TLSServer:
        certificate = Certificate.make(tmp_path / "certificate")
        started.append(TLSServer(tmp_path / "data", certificate, "--rate-limit", "off", *flags))
        return started[-1].start()

    yield start
    for server in started:
        server.stop()


def shake_hands(server, context=None, session=None) -> ssl.SSLSocket:
    raw = socket.create_connection((server.host, server.port), timeout=10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    context = context or server.certificate.trust()
    try:
        return context.wrap_socket(raw, server_hostname="localhost", session=session)
    except BaseException:
        raw.close()
        raise


def ask(connection, request=b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n") -> bytes:
    """One answer with a Content-Length, head and content."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connection)
    length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", answer)[1])
    while len(answer) < answer.index(b"\r\n\r\n") + 4 + length:
        answer += receive(connection)
    return answer


def receive(connection) -> bytes:
    data = connection.recv(65536)
    assert data, "the end came before the answer"
    return data


# What a client gets


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl(secure, version):
    answer = subprocess.run(
        ["curl", "-sS", "--tlsv" + version, "--tls-max", version, "--cacert", secure.verify]
        + ["-w", "\n%{http_code} %{http_version}", secure.url + "/version"],
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    body, status = answer.stdout.rsplit("\n", 1)
    assert json.loads(body)["name"] == "wattloop" and status == "200 1.1"


@pytest.mark.parametrize("version", [V12, V13])
def test_versions_ciphers_and_protocol(secure, version):
    with shake_hands(secure, secure.certificate.trust(version=version)) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        name, _, bits = connection.cipher()
        assert bits >= 128 and ("GCM" in name or "CHACHA20" in name), name
        assert name.startswith("TLS_" if version == V13 else "ECDHE-"), "keys of today do not open traffic of yesterday"
        assert ask(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(secure, version):
    context = secure.certificate.trust(version=version, ciphers="ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake_hands(secure, context)


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE+AES+SHA", "AES+SHA", "NULL:aNULL"])
def test_weak_ciphers_are_refused(secure, ciphers):
    context = secure.certificate.trust(version=V12, ciphers=ciphers + ":@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake_hands(secure, context)


def test_a_client_without_our_protocol_is_refused_and_one_without_any_is_not(secure):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        shake_hands(secure, secure.certificate.trust(alpn=("h2", "spdy/1")))
    for alpn in (), ("h2", "http/1.1"):
        with shake_hands(secure, secure.certificate.trust(alpn=alpn)) as connection:
            assert connection.selected_alpn_protocol() == ("http/1.1" if alpn else None)
            assert ask(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [V12, V13])
def test_a_client_comes_back_with_its_ticket(secure, version):
    context = secure.certificate.trust(version=version)
    with shake_hands(secure, context) as first:
        ask(first)
        session = first.session
        assert not first.session_reused
    with shake_hands(secure, context, session) as second:
        assert second.session_reused and ask(second).startswith(b"HTTP/1.1 200")


def test_the_end_is_announced(secure):
    """close_notify before FIN: a client can tell the end from an attacker's cut."""
    with shake_hands(secure) as connection:
        connection.suppress_ragged_eofs = False
        ask(connection, b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.recv(1) == b""


async def test_chat(secure):
    boss = admin(secure)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    talk = direct(alice, bob)
    hers, his = await Client.open(secure, alice.token), await Client.open(secure, bob.token)
    for number in range(50):
        text = f"{number} " + "x" * (1 + number * 150)
        await hers.ok("send", conversation=talk, key=fresh_key(), text=text)
        assert (await his.expect("message"))["text"] == text
    await hers.close()
    await his.close()
    assert len(messages(alice, talk)["items"]) == 50


async def test_chat_with_compression(secure):
    """permessage-deflate inside the records; one client has it and the other has not."""
    boss = admin(secure)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    talk = direct(alice, bob)
    hers = await Client.open(secure, alice.token, compression="deflate")
    his = await Client.open(secure, bob.token)
    assert "permessage-deflate" in hers.connection.response.headers["Sec-WebSocket-Extensions"]
    for number in range(20):
        text = "watt hour " * number * 40 + "."
        await hers.ok("send", conversation=talk, key=fresh_key(), text=text)
        assert (await his.expect("message"))["text"] == text
        await his.ok("send", conversation=talk, key=fresh_key(), text=text)
        assert (await hers.expect("message", sender=bob.id))["text"] == text
    await hers.close()
    await his.close()


def test_the_container_s_health_check(secure, server):
    """It finds a server that lives, with TLS and without, and no other."""
    healthcheck = REPOSITORY / "Scripts" / "healthcheck"

    def is_healthy(port, **settings) -> bool:
        answer = subprocess.run(
            ["bash", healthcheck], env=environment({"WATTLOOP_PORT": str(port)} | settings), capture_output=True, timeout=20
        )
        return answer.returncode == 0

    certificate = {"WATTLOOP_TLS_CERT": str(secure.certificate.certificate)}
    assert is_healthy(secure.port, **certificate) and is_healthy(server.port)
    assert not is_healthy(secure.port) and not is_healthy(free_port(), **certificate)


# Whatever the records are like


def test_large_bodies_and_pipelining(secure):
    """Bodies of many records, both ways, many answers to one write."""
    boss = admin(secure)
    assert boss.api.post("/users", {"username": "x" * 900_000}).status_code in (400, 422)
    document = requests.get(secure.url + "/openapi.json", verify=secure.verify, timeout=10).content
    one = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with shake_hands(secure) as connection:
        connection.sendall(one * 20)
        time.sleep(0.3)  # meanwhile nobody reads: the server has to keep what the kernel does not take
        received = b""
        while received.count(b"HTTP/1.1 200") < 20 or not received.endswith(document[-40:]):
            received += receive(connection)
        assert received.count(document) == 20


def test_any_cut_of_the_records(secure, seed):
    """The client's bytes arrive in pieces of any size, each by itself."""
    chance = random.Random(seed)
    context = secure.certificate.trust()
    for version in V12, V13:
        context.minimum_version = context.maximum_version = version
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection((secure.host, secure.port), timeout=10) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def step(call, *arguments):
                while True:
                    wants = False
                    try:
                        result = call(*arguments)
                    except ssl.SSLWantReadError:
                        wants = True
                    rest = outgoing.read()
                    while rest:
                        size = chance.choice((1, 1, 2, 5, 40, 700))
                        raw.sendall(rest[:size])
                        rest = rest[size:]
                    if not wants:
                        return result
                    incoming.write(raw.recv(chance.choice((1, 30, 65536))))

            step(session.do_handshake)
            for _ in range(3):
                step(session.write, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while b'"wattloop"' not in answer:
                    answer += step(session.read, 65536)
                assert answer.startswith(b"HTTP/1.1 200")


# Who does not speak TLS, or does not go on


def test_plain_http_is_told_so(secure):
    answer = requests.get(secure.url.replace("https", "http") + "/version", timeout=10)
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
    assert "HTTPS" in answer.json()["detail"]


def test_plain_http_in_pieces_is_told_so_and_not_reset(secure):
    with socket.create_connection((secure.host, secure.port), timeout=10) as raw:
        for line in b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n":
            raw.send(line)
            time.sleep(0.05)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ") and b"HTTPS" in answer


@pytest.mark.parametrize("junk", [b"\x00" * 50, b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x80\x2e\x01"])
def test_junk_ends_the_connection_and_nothing_else(secure, junk):
    with socket.create_connection((secure.host, secure.port), timeout=10) as raw:
        try:
            raw.sendall(junk)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(1000):  # an alert, maybe
                pass
        except OSError:  # a reset, or one that has been read already
            pass
    with shake_hands(secure) as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [0, 1, 100])
def test_a_handshake_has_its_time(serve_tls, sent):
    server = serve_tls("--header-timeout", "400ms")
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        server.certificate.trust().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    with socket.create_connection((server.host, server.port), timeout=10) as raw:
        raw.sendall(outgoing.read()[:sent])
        began = time.monotonic()
        assert raw.recv(1) == b""
        assert 0.3 < time.monotonic() - began < 5


@pytest.mark.alone
def test_a_storm_of_handshakes_does_not_hold_up_who_is_there(secure):
    def quiet(connection):
        times = []
        for _ in range(60):
            began = time.monotonic()
            ask(connection)
            times.append(time.monotonic() - began)
            time.sleep(0.005)
        return sorted(times)[-2]

    ends = threading.Event()

    def storm():
        context = secure.certificate.trust()
        while not ends.is_set():
            for connection in [shake_hands(secure, context) for _ in range(10)]:
                connection.close()

    with shake_hands(secure) as healthy:
        before = quiet(healthy)
        threads = [threading.Thread(target=storm, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        during = quiet(healthy)
        ends.set()
        for thread in threads:
            thread.join()
    # Python's own threads hold each other up for some 5 ms at a time.
    assert during < 3 * max(before, 0.03), f"{before * 1000:.1f} ms before, {during * 1000:.1f} ms during"


# A new certificate


def name_of(connection) -> str:
    return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]


async def test_a_new_certificate_is_taken_at_sighup_and_nobody_is_disturbed(serve_tls, tmp_path):
    server = serve_tls()
    old, new = server.certificate, Certificate.make(tmp_path / "new", name="renewed")
    boss = admin(server)
    socket_before = await Client.open(server, boss.token)
    context = old.trust()
    with shake_hands(server, context) as before:
        assert name_of(before) == "server"
        ask(before)
        session = before.session
        trusts_new = new.trust()
        old.replace_with(new)
        server.signal(signal.SIGHUP)
        await until(lambda: "read anew" in server.stderr)
        with shake_hands(server, trusts_new) as after:
            assert name_of(after) == "renewed"
        assert ask(before).startswith(b"HTTP/1.1 200"), "a connection stays as it is"
        with shake_hands(server, context, session) as resumed:
            assert resumed.session_reused, "a ticket stays valid"
    await socket_before.ok("ping")
    await socket_before.close()


async def test_a_bad_certificate_is_not_taken_at_sighup(serve_tls):
    server = serve_tls()
    context = server.certificate.trust()
    server.certificate.key.write_text("no key")
    server.signal(signal.SIGHUP)
    await until(lambda: "stays as it was" in server.stderr)
    with shake_hands(server, context) as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200")


async def until(condition):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


def test_settings_that_cannot_be_used_end_the_program(tmp_path):
    one, other = Certificate.make(tmp_path, "one"), Certificate.make(tmp_path, "other")
    locked = Certificate.make(tmp_path, "locked", password=b"secret")
    (tmp_path / "junk").write_text("junk")
    for certificate, key in [
        (one.certificate, None),
        (None, one.key),
        (one.certificate, other.key),
        (one.certificate, tmp_path / "missing"),
        (tmp_path / "missing", one.key),
        (tmp_path / "junk", one.key),
        (locked.certificate, locked.key),
    ]:
        flags = [*(["--tls-cert", certificate] if certificate else []), *(["--tls-key", key] if key else [])]
        done = wattloop("serve", "--port", "0", "--data", tmp_path / "data", *flags)
        assert done.returncode == 64 and "--tls-" in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "data").exists(), "nothing is made before the settings are right"


# Memory


def private_bytes(server) -> int:
    rollup = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return 1024 * sum(int(kilobytes) for kilobytes in re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.MULTILINE))


def test_memory_of_an_idle_connection(serve_tls):
    """The slope from 200 to 1,200 connections that have each been used."""
    server = serve_tls()
    context = server.certificate.trust()
    connections = []

    def open_until(count):
        while len(connections) < count:
            connections.append(shake_hands(server, context))
            ask(connections[-1])
        return private_bytes(server)

    low, high = open_until(200), open_until(1200)
    slope = (high - low) / 1000
    print(f"{slope:.0f} bytes an idle TLS connection")
    for connection in connections:
        connection.close()
    assert slope <= 16_000
