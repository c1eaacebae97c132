"""permessage-deflate (RFC 7692): what is agreed on, what is refused, and what it may cost."""

import json
import os
import random
import zlib

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from harness.api import admin, create_user, direct, fresh_key
from harness.client import Client
from harness.raw import CLOSE, CONTINUATION, PING, TEXT, RawConnection, frame, handshake

TAIL = b"\x00\x00\xff\xff"


class Packed(RawConnection):
    """A WebSocket that speaks permessage-deflate by hand, with contexts taken over both ways."""

    def __init__(self, server, token, offer="permessage-deflate"):
        super().__init__(server)
        self.send(handshake(server, token, **({"sec_websocket_extensions": offer} if offer else {})))
        answer = self.response()
        assert answer.status == 101, answer
        self.agreed = answer.headers.get("sec-websocket-extensions")
        self.packer, self.unpacker = zlib.compressobj(wbits=-12), zlib.decompressobj(wbits=-15)

    def pack(self, data: bytes) -> bytes:
        return (self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)

    def say(self, **fields):
        self.send(frame(TEXT, self.pack(json.dumps(fields).encode()), rsv=4))

    def hear(self) -> tuple:
        """The next message, and whether it was compressed."""
        while True:
            start, length = self._take(2)
            length = int.from_bytes(self._take({126: 2, 127: 8}[length]), "big") if length > 125 else length
            payload = self._take(length)
            if start & 0x0F == CLOSE:
                raise EOFError(int.from_bytes(payload[:2], "big"))
            if start & 0x0F == TEXT:
                if start & 0x40:
                    payload = self.unpacker.decompress(payload + TAIL)
                return json.loads(payload), bool(start & 0x40)

    def ended_with(self) -> int:
        with pytest.raises(EOFError) as end:
            while True:
                self.hear()
        return end.value.args[0]


@pytest.fixture
def packed(server, alice):
    opened = []

    def open(*arguments):
        opened.append(Packed(server, alice.token, *arguments))
        return opened[-1]

    yield open
    for connection in opened:
        connection.socket.close()


@pytest.mark.parametrize(
    "offer, agreed",
    [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; nonsense", None),
        ("x-other", None),
        (None, None),
    ],
)
def test_agreement(packed, offer, agreed):
    connection = packed(offer)
    assert connection.agreed == agreed
    assert connection.hear()[0]["type"] == "hello"


def test_an_offer_that_breaks_the_grammar_is_refused(server, alice):
    with RawConnection(server) as connection:
        connection.send(handshake(server, alice.token, sec_websocket_extensions="permessage-deflate; ="))
        assert connection.response().status == 400


@pytest.mark.parametrize("windows", [(15, 15), (9, 9), (None, True)])
@pytest.mark.parametrize("forgets", [False, True])
async def test_chat(server, alice, bob, windows, forgets):
    """A library's clients on both ends; texts that compress and texts that do not, in any length."""
    factory = ClientPerMessageDeflateFactory(
        server_no_context_takeover=forgets, client_no_context_takeover=forgets,
        server_max_window_bits=windows[0], client_max_window_bits=windows[1],
    )  # fmt: skip
    talk = direct(alice, bob)
    hers = await Client.open(server, alice.token, extensions=[factory])
    his = await Client.open(server, bob.token, extensions=[factory])
    assert "permessage-deflate" in hers.connection.response.headers["Sec-WebSocket-Extensions"]
    for number in range(20):
        text = "volt ampere " * number * 20 + os.urandom(number * 30).hex() + "."
        await hers.ok("send", conversation=talk, key=fresh_key(), text=text)
        assert (await his.expect("message"))["text"] == text
    await hers.close()
    await his.close()


def test_a_context_taken_over_makes_messages_small(packed):
    """The second of two like answers is little more than a reference to the first."""
    connection = packed()
    connection.hear()
    answer = {"type": "ping", "id": os.urandom(40).hex()}
    lengths = []
    for _ in range(2):
        connection.say(**answer)
        start, length = connection._take(2)
        assert start & 0x40
        lengths.append(length)
        assert answer["id"] in connection.unpacker.decompress(connection._take(length) + TAIL).decode()
    assert lengths[0] > 80 > 20 > lengths[1], lengths


# What breaks the rules


def test_without_an_agreement_the_bit_is_an_error(packed):
    connection = packed(None)
    connection.send(frame(TEXT, connection.pack(b'{"type":"ping","id":"1"}'), rsv=4))
    assert connection.ended_with() == 1002


@pytest.mark.parametrize("opcode", [PING, CONTINUATION])
def test_only_a_first_frame_may_carry_the_bit(packed, opcode):
    connection = packed()
    if opcode == CONTINUATION:
        connection.send(frame(TEXT, connection.pack(b'{"type":"ping",')[:3], rsv=4, fin=False))
    connection.send(frame(opcode, b"", rsv=4))
    assert connection.ended_with() == 1002


@pytest.mark.parametrize("rsv", [1, 2, 3, 6, 7])
def test_the_other_bits_stay_reserved(packed, rsv):
    connection = packed()
    connection.send(frame(TEXT, connection.pack(b"{}"), rsv=rsv))
    assert connection.ended_with() == 1002


def test_what_is_not_deflate_and_what_is_not_text(packed):
    connection = packed()
    connection.send(frame(TEXT, b"\xff\xff\xff", rsv=4))
    assert connection.ended_with() == 1002
    connection = packed()
    connection.send(frame(TEXT, connection.pack(b'{"a":"\xff"}'), rsv=4))
    assert connection.ended_with() == 1007


def test_a_bomb_costs_no_more_than_a_message(serve):
    server = serve("--rate-limit", "off")
    token = create_user(admin(server), "bomber").token
    bomb = zlib.compressobj(wbits=-12)
    packed_bomb = bomb.compress(bytes(50_000_000)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    before = server.resident_bytes()
    for _ in range(20):
        with Packed(server, token) as connection:
            connection.send(frame(TEXT, packed_bomb[:60_000], rsv=4))
            assert connection.ended_with() == 1009
    assert server.resident_bytes() - before < 4 << 20


def test_cut_anywhere(packed, seed):
    """Fragments of any size, pings between them, the bytes in pieces of any size."""
    chance = random.Random(seed)
    connection = packed("permessage-deflate; client_max_window_bits")
    for number in range(30):
        whole = connection.pack(json.dumps({"type": "ping", "id": f"{number}", "x": "y" * chance.randrange(300)}).encode())
        frames, rest, first = b"", whole, True
        while rest or first:
            size = chance.randint(0, len(rest)) if chance.random() < 0.7 else len(rest)
            piece, rest = rest[:size], rest[size:]
            frames += frame(TEXT if first else CONTINUATION, piece, rsv=4 if first else 0, fin=not rest)
            first = False
            if rest and chance.random() < 0.3:
                frames += frame(PING, b"between")
        while frames:
            size = chance.choice((1, 2, 7, 100, 1000))
            connection.send(frames[:size])
            frames = frames[size:]
        while (heard := connection.hear()[0]).get("id") != f"{number}":
            assert "id" not in heard


def test_above_a_number_of_connections_nobody_new_compresses(serve):
    server = serve("--rate-limit", "off", "--deflate-connections", "2")
    token = create_user(admin(server), "many").token
    server_has = [Packed(server, token) for _ in range(4)]
    assert [connection.agreed is not None for connection in server_has][-1] is False
    assert server_has[0].agreed or server_has[1].agreed
    for connection in server_has:
        connection.socket.close()
    never = serve("--deflate-connections", "0", data=server.data.with_name("never"))
    with Packed(never, create_user(admin(never), "one").token) as connection:
        assert connection.agreed is None
