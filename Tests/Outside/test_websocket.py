"""Contract §3: opening a socket, what a session may say, and how a socket ends."""

import asyncio
import json
import time

import pytest
from websockets.exceptions import InvalidStatus

from harness.api import TIME, admin, check_problem, create_user, direct, login, messages, pointers
from harness.client import Client, credentials
from harness.raw import RawConnection, handshake
from harness.server import ADMIN_PASSWORD, wattloop

WAYS = ["header", "subprotocol", "frame"]


# Opening


@pytest.mark.parametrize("by", WAYS)
async def test_hello_comes_first_whichever_way_the_token_comes(connect, alice, by):
    client = await connect(alice, by)
    assert client.events[0]["type"] == "hello"
    hello = client.hello
    assert "id" not in hello
    assert hello["user"] == alice.id
    assert hello["session"] and isinstance(hello["session"], str)
    assert hello["epoch"]
    assert isinstance(hello["position"], int)
    assert TIME.fullmatch(hello["server_time"])
    assert hello["heartbeat_ms"] == 30_000
    assert hello["typing_ms"] > 0
    assert hello["limits"]["message_bytes"] == 64 * 1024
    assert "send_rate" in hello["limits"]


async def test_the_subprotocol_is_answered_and_the_token_is_not(connect, alice):
    client = await connect(alice, "subprotocol")
    assert client.connection.subprotocol == "wattloop.v1"
    assert alice.token not in str(client.connection.response.headers)


async def test_without_an_offer_no_subprotocol_is_answered(connect, alice):
    assert (await connect(alice)).connection.subprotocol is None


async def test_an_auth_frame_is_answered_with_the_time_the_token_ends(connect, alice):
    client = await connect(alice, "frame")
    assert TIME.fullmatch(client.auth_answer["expires_at"])


async def test_two_sessions_have_different_names(connect, alice):
    one, other = await connect(alice), await connect(alice)
    assert one.hello["session"] != other.hello["session"]
    assert one.hello["epoch"] == other.hello["epoch"]


@pytest.mark.parametrize("by", ["header", "subprotocol"])
async def test_a_wrong_token_is_401_before_the_upgrade(server, by):
    with pytest.raises(InvalidStatus) as refused:
        await Client.connect(server, **credentials("wrong", by))
    response = refused.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    check_problem(json.loads(response.body), status=401)


async def test_the_header_is_stronger_than_the_subprotocol(connect, server, alice, bob):
    headers = {"Authorization": f"Bearer {alice.token}"}
    client = await Client.connect(server, headers, subprotocols=["wattloop.v1", f"bearer.{bob.token}"])
    assert (await client.expect("hello"))["user"] == alice.id
    await client.close()


async def test_a_wrong_token_in_the_auth_frame_is_an_error_and_the_end(server):
    client = await Client.connect(server)
    await client.problem("auth", token="wrong")
    assert await client.closed() is not None
    assert client.of("hello") == []


async def test_before_auth_nothing_is_served(server):
    client = await Client.connect(server)
    try:
        answer = await client.request("ping")
        assert answer["type"] == "error"
    except ConnectionError:
        pass  # closed at once
    assert client.of("hello") == []
    await client.close()


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_in_the_url_is_no_token(server, alice, name):
    client = await Client.connect(server, path=f"?{name}={alice.token}")
    with pytest.raises((AssertionError, ConnectionError)):
        await client.ok("ping")
    assert client.of("hello") == []
    await client.close()


async def test_a_socket_without_auth_is_closed_in_time(serve):
    running = serve("--header-timeout", "1s")
    client = await Client.connect(running)
    started = time.monotonic()
    await client.closed(timeout=13)
    assert time.monotonic() - started > 0.5, "there is time to send the token"
    assert client.of("hello") == []


def test_a_handshake_that_never_ends_is_closed_in_time(serve):
    running = serve("--header-timeout", "1s")
    with RawConnection(running) as connection:
        connection.send(handshake(running)[:40])
        answer = connection.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


# Origin


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"])
async def test_a_foreign_origin_is_403(server, alice, origin):
    with pytest.raises(InvalidStatus) as refused:
        await Client.connect(server, **credentials(alice.token, "header"), origin=origin)
    assert refused.value.response.status_code == 403


async def test_the_servers_own_origin_may_come_in(connect, server, alice):
    assert await connect(alice, origin=server.url)


async def test_an_allowed_origin_may_come_in_and_others_may_not(serve):
    running = serve("--allow-origin", "https://app.example")
    person = login(running, "admin", ADMIN_PASSWORD)
    client = await Client.open(running, person.token, origin="https://app.example")
    await client.close()
    with pytest.raises(InvalidStatus) as refused:
        await Client.open(running, person.token, origin="https://app.example.evil")
    assert refused.value.response.status_code == 403


# The handshake


@pytest.mark.parametrize(
    ("changed", "statuses"),
    [
        ({"upgrade": None}, {400, 426}),
        ({"upgrade": "h2c"}, {400, 426}),
        ({"connection": "close"}, {400, 426}),
        ({"sec_websocket_key": None}, {400}),
        ({"sec_websocket_key": "short"}, {400}),
        ({"sec_websocket_version": None}, {400, 426}),
        ({"sec_websocket_version": "8"}, {400, 426}),
    ],
    ids=str,
)
def test_a_bad_handshake_is_refused(server, alice, changed, statuses):
    with RawConnection(server) as connection:
        connection.send(handshake(server, alice.token, **changed))
        assert connection.response().status in statuses


def test_another_version_is_told_the_right_one(server, alice):
    with RawConnection(server) as connection:
        connection.send(handshake(server, alice.token, sec_websocket_version="8"))
        response = connection.response()
        assert (response.status, response.headers.get("sec-websocket-version")) == (426, "13")


def test_header_tokens_are_read_without_case_and_in_lists(server, alice):
    with RawConnection(server) as connection:
        changed = {"upgrade": "WebSocket", "connection": "keep-alive, UPGRADE"}
        connection.send(handshake(server, alice.token, **changed))
        assert connection.response().status == 101


def test_the_accept_value_is_that_of_rfc_6455(server, alice):
    with RawConnection(server) as connection:
        connection.send(handshake(server, alice.token, sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ=="))
        headers = connection.response().headers
        assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert headers["upgrade"].lower() == "websocket"
        assert headers["connection"].lower() == "upgrade"


async def test_a_client_that_offers_compression_is_served(connect, alice, bob):
    client = await connect(alice, compression="deflate")
    conversation = direct(alice, bob)
    await client.send(conversation, "z" * 8000)
    assert messages(bob, conversation)["items"][0]["text"] == "z" * 8000


# Requests


async def test_ping_is_answered_with_the_time(connect, alice):
    assert TIME.fullmatch((await (await connect(alice)).ok("ping"))["server_time"])


async def test_a_binary_frame_with_the_same_json_is_taken(connect, alice, bob):
    client, conversation = await connect(alice), direct(alice, bob)
    request = {"type": "send", "id": "raw", "conversation": conversation, "text": "from bytes", "key": "b"}
    answer = await client.ask("raw", json.dumps(request).encode())
    assert (answer["type"], answer["seq"]) == ("ok", 1)


async def test_a_message_in_fragments_is_one_message(connect, alice):
    client = await connect(alice)
    assert (await client.ask("in parts", ['{"type":"pi', 'ng","id"', ':"in parts"}']))["type"] == "ok"


@pytest.mark.parametrize("id", ["7", "007", 'ü "quoted" \\ \u2028', "x" * 64])
async def test_the_id_comes_back_as_it_was(connect, alice, id):
    client = await connect(alice)
    assert (await client.ask(id, json.dumps({"type": "ping", "id": id})))["type"] == "ok"


async def test_requests_sent_at_once_are_each_answered_once(connect, alice):
    client = await connect(alice)
    answers = await asyncio.gather(*[client.ok("ping") for _ in range(200)])
    assert len(answers) == 200
    await client.settle()


MALFORMED = {
    "nothing": "",
    "blank": "  ",
    "words": "hello",
    "cut": '{"type":"ping"',
    "trailing": '{"type":"ping","id":"raw"} x',
    "array": "[]",
    "number": "7",
    "null": "null",
    "single quotes": "{'type':'ping'}",
    "trailing comma": '{"type":"ping","id":"raw",}',
    "bad escape": r'{"type":"ping","id":"\x"}',
    "half a surrogate": r'{"type":"send","id":"raw","text":"\ud800","conversation":"c1","key":"k"}',
    "control character": '{"type":"ping","id":"\n"}',
    "no type": '{"id":"raw"}',
    "type is a number": '{"type":1,"id":"raw"}',
    "no id": '{"type":"ping"}',
    "deep": "[" * 30_000,
    "deep in a field": '{"type":"ping","id":"raw","x":' + "[" * 30_000,
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_message_is_an_error_and_the_session_goes_on(connect, alice, name):
    client = await connect(alice)
    await client.raw(MALFORMED[name])
    await client.settle()
    [error] = client.of("error") + client.stray_answers
    client.stray_answers.clear()
    assert error["type"] == "error"
    assert error["temporary"] is False


async def test_a_malformed_binary_message_is_an_error_too(connect, alice):
    client = await connect(alice)
    await client.raw(b"\x00\xff\xfe")
    await client.settle()
    assert (await client.expect("error"))["temporary"] is False


async def test_an_unknown_type_is_an_error_for_its_request(connect, alice):
    client = await connect(alice)
    await client.problem("dance")
    await client.settle()


async def test_unknown_fields_are_ignored(connect, alice):
    await (await connect(alice)).ok("ping", shoe={"size": [42, None, True, 1e300]}, type2="x")


@pytest.mark.parametrize(
    "type_name, fields, missing",
    [
        ("send", {"text": "x", "key": "k"}, "conversation"),
        ("send", {"conversation": "HERE", "key": "k"}, "text"),
        ("send", {"conversation": "HERE", "text": "x"}, "key"),
        ("send", {"conversation": "HERE", "text": 7, "key": "k"}, "text"),
        ("send", {"conversation": "HERE", "text": "x", "key": ""}, "key"),
        ("history", {"limit": 5}, "conversation"),
        ("history", {"conversation": "HERE", "after_seq": "one"}, "after_seq"),
    ],
    ids=str,
)
async def test_a_missing_or_wrong_field_is_named(connect, alice, bob, type_name, fields, missing):
    client, conversation = await connect(alice), direct(alice, bob)
    given = {name: conversation if value == "HERE" else value for name, value in fields.items()}
    problem = await client.problem(type_name, **given)
    assert missing in pointers(problem) or missing in problem["detail"], problem
    assert messages(alice, conversation)["items"] == []


@pytest.mark.parametrize("kind", [str, bytes])
async def test_a_message_over_the_limit_closes_with_1009(connect, alice, kind):
    client = await connect(alice)
    await client.raw("x" * 65_537 if kind is str else b"x" * 65_537)
    assert await client.closed() == 1009


async def test_fragments_over_the_limit_together_close_with_1009(connect, alice):
    client = await connect(alice)
    await client.raw(["x" * 40_000, "y" * 40_000])
    assert await client.closed() == 1009


async def test_a_message_at_the_limit_is_taken(connect, alice):
    client = await connect(alice)
    start = '{"type":"ping","id":"full","filler":"'
    answer = await client.ask("full", start + "x" * (65_536 - len(start) - 2) + '"}')
    assert answer["type"] == "ok"


async def test_the_limit_is_a_setting(serve):
    running = serve("--max-message", "1KiB")
    client = await Client.open(running, login(running, "admin", ADMIN_PASSWORD).token)
    assert client.hello["limits"]["message_bytes"] == 1024
    await client.raw("x" * 1025)
    assert await client.closed() == 1009


# Being alive


async def test_a_ping_frame_is_answered(connect, alice):
    client = await connect(alice)
    await asyncio.wait_for(await client.connection.ping(b"are you there"), 5)


async def test_a_close_is_answered_with_its_code(connect, alice):
    client = await connect(alice)
    await client.connection.close(1000, "bye")
    assert await client.closed() == 1000


async def test_heartbeats_come_and_a_client_that_only_listens_stays(serve):
    running = serve("--heartbeat", "1s")
    client = await Client.open(running, login(running, "admin", ADMIN_PASSWORD).token)
    assert client.hello["heartbeat_ms"] == 1000
    beats = [await client.expect("heartbeat", timeout=3) for _ in range(5)]
    assert all(TIME.fullmatch(beat["server_time"]) and isinstance(beat["position"], int) for beat in beats)
    await client.settle()
    await client.close()


def test_a_peer_silent_for_three_heartbeats_is_dropped(serve):
    running = serve("--heartbeat", "1s")
    token = login(running, "admin", ADMIN_PASSWORD).token
    with RawConnection(running) as connection:
        connection.upgrade(token)
        started = time.monotonic()
        connection.rest()  # ends only when the server closes
        assert 2 < time.monotonic() - started < 8


# The token's end


@pytest.mark.parametrize("by", WAYS)
async def test_the_socket_ends_with_its_token(serve, by):
    running = serve("--access-ttl", "2s")
    person = login(running, "admin", ADMIN_PASSWORD)
    started = time.monotonic()
    client = await Client.open(running, person.token, by)
    await client.settle()
    assert await client.closed(timeout=6) == 4001
    assert time.monotonic() - started > 0.9, "not before its time"


async def test_a_token_from_the_command_line_ends_at_its_own_time(serve):
    running = serve()
    token = wattloop("token", "admin", "--data", running.data, "--ttl", "2s").stdout.strip()
    client = await Client.open(running, token)
    assert await client.closed(timeout=6) == 4001


async def test_a_refreshed_socket_outlives_its_first_token(serve):
    running = serve("--access-ttl", "2s")
    first, longer = login(running, "admin", ADMIN_PASSWORD), wattloop(
        "token", "admin", "--data", running.data, "--ttl", "1h"
    ).stdout.strip()
    client = await Client.open(running, first.token)
    assert (await client.ok("refresh", token=longer))["expires_at"] > client.hello["server_time"]
    await asyncio.sleep(3)
    await client.ok("ping")
    await client.close()


async def test_another_users_token_does_not_refresh_a_socket(connect, alice, bob):
    hers = await connect(alice)
    refused = await hers.request("refresh", token=bob.token)
    assert refused["type"] == "error" and refused["problem"] == "/problems/forbidden"
    await hers.ok("ping")


# Rates


async def test_who_sends_faster_than_the_rate_is_told_when_to_go_on(serve):
    running = serve("--send-rate", "5")
    administrator = admin(running)
    alice, bob = create_user(administrator, "alice"), create_user(administrator, "bob")
    conversation = direct(alice, bob)
    client = await Client.open(running, alice.token)
    assert client.hello["limits"]["send_rate"] == 5
    answers = [
        await client.request("send", conversation=conversation, text="x", key=str(number)) for number in range(20)
    ]
    taken = [answer for answer in answers if answer["type"] == "ok"]
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert len(taken) >= 5 and refused
    assert all(answer["problem"] == "/problems/rate-limited" and answer["temporary"] for answer in refused)
    await asyncio.sleep(refused[-1]["retry_after_ms"] / 1000)
    again = await client.ok("send", conversation=conversation, text="x", key="19")
    assert again["seq"] == len(taken) + 1, "a message that was refused takes no place"
    await client.close()
