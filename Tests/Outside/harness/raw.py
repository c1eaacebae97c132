"""Bytes on a socket: requests and frames that no library would send."""

import base64
import json
import os
import socket
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


@dataclass
class RawResponse:
    status: int
    headers: dict  # lower-case names
    body: bytes


@dataclass
class RawFrame:
    opcode: int
    payload: bytes

    @property
    def close_code(self):
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005


class RawConnection:
    """One TCP connection. Every read ends within `timeout` seconds or fails the test."""

    def __init__(self, server, timeout=10, receive_buffer=None):
        self.server = server
        self.socket = socket.socket()
        if receive_buffer:  # before connect: the window is agreed in the handshake
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((server.host, server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes):
        """A server that has already refused may close while we still send: that is no failure here."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def _take(self, count) -> bytes:
        while len(self.buffer) < count:
            if not self._more():
                raise EOFError(f"closed after {self.buffer!r}")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _take_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            if not self._more():
                raise EOFError(f"closed after {self.buffer!r}")
        data, self.buffer = self.buffer.split(mark, 1)
        return data

    def response(self, to="GET") -> RawResponse:
        """The next response; `to` is the method it answers, since HEAD has no body."""
        line, *fields = self._take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status = line.split(" ")[:2]
        assert version == "HTTP/1.1", line
        headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        status = int(status)
        bodiless = to == "HEAD" or status < 200 or status in (204, 304)
        return RawResponse(status, headers, b"" if bodiless else self._body(headers))

    def _body(self, headers) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self._take(int(headers["content-length"]))
        body = b""
        while size := int(self._take_until(b"\r\n").split(b";")[0], 16):
            body += self._take(size)
            assert self._take(2) == b"\r\n"
        self._take_until(b"\r\n")
        return body

    def rest(self) -> bytes:
        """Everything up to the server's close; fails when it does not close."""
        while self._more():
            pass
        return self.buffer

    # WebSocket

    def upgrade(self, token, first: bytes = b"") -> RawResponse:
        """The handshake, with `first` behind it in the same segment."""
        self.send(handshake(self.server, token) + first)
        response = self.response()
        assert response.status == 101, response
        return response

    def frame(self) -> RawFrame:
        start, length = self._take(2)
        assert length & 0x80 == 0, "a server never masks"
        if length == 126:
            length = struct.unpack(">H", self._take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._take(8))[0]
        return RawFrame(start & 0x0F, self._take(length))

    def frame_of(self, opcode) -> RawFrame:
        """The next frame with this opcode; others are passed over."""
        while (frame := self.frame()).opcode != opcode:
            pass
        return frame

    def message(self, **fields) -> dict:
        """The next JSON message with these fields; others are passed over."""
        while True:
            frame = self.frame()
            assert frame.opcode != CLOSE, frame
            if frame.opcode in (TEXT, BINARY):
                message = json.loads(frame.payload)
                if all(message.get(name) == value for name, value in fields.items()):
                    return message

    def close_code(self) -> int:
        """The code of the server's close frame. The server then ends the connection."""
        code = self.frame_of(CLOSE).close_code
        self.send(frame(CLOSE, struct.pack(">H", code)))
        self.rest()
        return code


def handshake(server, token=None, **changed) -> bytes:
    """An opening handshake; `changed` replaces a header (`_` for `-`) or, with None, leaves it out."""
    headers = {
        "host": f"{server.host}:{server.port}",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": base64.b64encode(os.urandom(16)).decode(),
        "sec-websocket-version": "13",
    }
    if token:
        headers["authorization"] = f"Bearer {token}"
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["GET /api/v1/ws HTTP/1.1", *lines, "", ""]).encode()


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, length=None) -> bytes:
    """A client frame. `length` is the whole length field, when it shall not be the right one."""
    mask_bit = 0x80 if masked else 0
    start = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length is not None:
        start += bytes([mask_bit | length[0]]) + length[1:]
    elif len(payload) < 126:
        start += bytes([mask_bit | len(payload)])
    elif len(payload) < 65536:
        start += struct.pack(">BH", mask_bit | 126, len(payload))
    else:
        start += struct.pack(">BQ", mask_bit | 127, len(payload))
    return start + (masking(payload) if masked else payload)


def masking(payload: bytes) -> bytes:
    mask = os.urandom(4)
    stream = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return mask + mixed.to_bytes(len(payload), "big")


def text(**fields) -> bytes:
    return frame(TEXT, json.dumps(fields).encode())
