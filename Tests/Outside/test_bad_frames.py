"""RFC 6455 from the hostile side: frames that no library sends."""

import json
import struct

import pytest

from harness.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawConnection, frame, handshake, text

GOOD = text(type="ping", id="good")


def closing(code=None, reason=b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


@pytest.fixture
def opened(server, alice):
    """An open session; `hello` is read."""
    with RawConnection(server) as connection:
        connection.upgrade(alice.token)
        connection.message(type="hello")
        yield connection


PROTOCOL_ERRORS = {
    "an unmasked text": frame(TEXT, b"{}", masked=False),
    "an unmasked ping": frame(PING, b"x", masked=False),
    "reserved bit 1 without compression": frame(TEXT, b"{}", rsv=4),
    "reserved bit 2": frame(TEXT, b"{}", rsv=2),
    "reserved bit 3": frame(PING, b"", rsv=1),
    "opcode 3": frame(0x3, b"{}"),
    "opcode 7": frame(0x7, b""),
    "opcode 11": frame(0xB, b""),
    "opcode 15": frame(0xF, b""),
    "a ping in fragments": frame(PING, b"x", fin=False),
    "a close in fragments": frame(CLOSE, b"", fin=False),
    "a ping over 125 bytes": frame(PING, b"x" * 126),
    "a close over 125 bytes": frame(CLOSE, struct.pack(">H", 1000) + b"x" * 124),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a last continuation twice": frame(TEXT, b'{"a"', fin=False)
    + frame(CONTINUATION, b":1}")
    + frame(CONTINUATION, b"x"),
    "a text inside a message": frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
    "a binary inside a message": frame(TEXT, b"{", fin=False) + frame(BINARY, b"}", fin=False),
    "a 16-bit length that fits in 7": frame(TEXT, b"hello", length=b"\x7e\x00\x05"),
    "a 64-bit length that fits in 16": frame(TEXT, b"hello", length=b"\x7f" + struct.pack(">Q", 5)),
    "a close of one byte": frame(CLOSE, b"\x03"),
}


@pytest.mark.parametrize("name", PROTOCOL_ERRORS)
def test_a_broken_frame_closes_with_1002(opened, name):
    opened.send(PROTOCOL_ERRORS[name] + GOOD)
    assert opened.close_code() == 1002


@pytest.mark.parametrize("length", [1 << 63, (1 << 64) - 1, 1 << 62, 1 << 32, 65_537])
def test_a_length_beyond_the_limit_closes_before_the_payload_comes(opened, length):
    opened.send(frame(TEXT, b"", length=b"\x7f" + struct.pack(">Q", length)))
    # The most significant bit must be 0: then it is no length at all.
    assert opened.close_code() in ({1002, 1009} if length >= 1 << 63 else {1009})


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b"\xc3",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b'{"type":"ping","id":"\xfe"}',
    ],
    ids=["ff", "cut", "overlong", "surrogate", "beyond unicode", "in a request"],
)
def test_invalid_utf8_closes_with_1007(opened, payload):
    opened.send(frame(TEXT, payload))
    assert opened.close_code() == 1007


def test_invalid_utf8_over_two_fragments_closes_with_1007(opened):
    opened.send(frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\x28"))
    assert opened.close_code() == 1007


def test_a_character_cut_by_a_fragment_is_whole(opened):
    whole = '{"type":"ping","id":"€"}'.encode()
    cut = whole.index(b"\xe2") + 1
    opened.send(frame(TEXT, whole[:cut], fin=False) + frame(CONTINUATION, whole[cut:]))
    assert opened.message(id="€")["type"] == "ok"


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_close_code_that_may_not_be_sent_closes_with_1002(opened, code):
    opened.send(closing(code))
    assert opened.close_code() == 1002


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 3000, 4999])
def test_a_good_close_code_comes_back(opened, code):
    opened.send(closing(code, "bye ⚡".encode()))
    assert opened.close_code() == code


def test_a_close_without_a_code_is_answered(opened):
    opened.send(closing())
    assert opened.frame_of(CLOSE).close_code in (1000, 1005)


def test_a_close_reason_that_is_no_utf8_closes_with_1007(opened):
    opened.send(closing(1000, b"\xff"))
    assert opened.close_code() in (1002, 1007)


def test_nothing_is_answered_after_a_close(opened):
    opened.send(closing(1000) + GOOD)
    assert opened.close_code() == 1000
    assert opened.buffer == b""


def test_a_peer_that_goes_without_a_close_frame_is_let_go(server, alice):
    for _ in range(20):
        with RawConnection(server) as connection:
            connection.upgrade(alice.token)
    with RawConnection(server) as connection:
        connection.upgrade(alice.token, GOOD)
        assert connection.message(id="good")["type"] == "ok"


# What is right


def test_a_frame_in_the_same_segment_as_the_handshake_is_answered_after_the_101(server, alice):
    with RawConnection(server) as connection:
        assert connection.upgrade(alice.token, GOOD).status == 101
        first = connection.frame_of(TEXT)
        assert json.loads(first.payload)["type"] == "hello"
        assert connection.message(id="good")["type"] == "ok"


def test_an_auth_frame_in_the_same_segment_as_the_handshake_is_taken(server, alice):
    with RawConnection(server) as connection:
        connection.upgrade(None, text(type="auth", id="a", token=alice.token) + GOOD)
        assert connection.message(id="good")["type"] == "ok"


def test_frames_byte_by_byte_are_taken(opened):
    for byte in (
        frame(PING, b"p") + frame(TEXT, b'{"type":"ping",', fin=False) + frame(CONTINUATION, b'"id":"slow"}')
    ):
        opened.send(bytes([byte]))
    assert opened.frame_of(PONG).payload == b"p"
    assert opened.message(id="slow")["type"] == "ok"


def test_a_handshake_byte_by_byte_is_taken(server, alice):
    with RawConnection(server) as connection:
        for byte in handshake(server, alice.token) + GOOD:
            connection.send(bytes([byte]))
        assert connection.response().status == 101
        assert connection.message(id="good")["type"] == "ok"


def test_a_ping_between_fragments_is_answered_at_once(opened):
    opened.send(frame(TEXT, b'{"type":"ping",', fin=False) + frame(PING, b"now"))
    assert opened.frame_of(PONG).payload == b"now"
    opened.send(frame(CONTINUATION, b'"id":"late"}'))
    assert opened.message(id="late")["type"] == "ok"


def test_empty_fragments_are_taken(opened):
    opened.send(
        frame(TEXT, b"", fin=False)
        + frame(CONTINUATION, b"", fin=False) * 100
        + frame(CONTINUATION, b'{"type":"ping","id":"empty"}')
    )
    assert opened.message(id="empty")["type"] == "ok"


@pytest.mark.parametrize("payload", [b"", b"x", b"x" * 125], ids=len)
def test_a_pong_carries_the_payload_of_its_ping(opened, payload):
    opened.send(frame(PING, payload))
    assert opened.frame_of(PONG).payload == payload


def test_a_pong_that_nobody_asked_for_is_passed_over(opened):
    opened.send(frame(PONG, b"unasked") + GOOD)
    assert opened.message(id="good")["type"] == "ok"


def test_the_frames_of_one_segment_are_answered_in_order(opened):
    opened.send(b"".join(text(type="ping", id=str(number)) for number in range(300)))
    assert [opened.message(type="ok")["id"] for _ in range(300)] == [str(number) for number in range(300)]
