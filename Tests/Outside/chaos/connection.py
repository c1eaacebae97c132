"""One connection: it resumes first thing, and holds every event to the order that was promised."""

import asyncio
import itertools
import json
import socket
import struct
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

LOST = (OSError, ConnectionClosed, InvalidHandshake, EOFError, TimeoutError)
HELD = 0.2  # the server holds events back for half a second until the client has resumed; it may be slow to read


class Connection:
    """`position` is the client's place: it has every event up to there."""

    def __init__(self, websocket, epoch, position, view):
        self.websocket = websocket
        self.epoch, self.position = epoch, position
        self.view = view
        self.resync = None
        self.replayed = []  # the events up to the answer to `resume`; then None
        self.late = False
        self.fault = None
        self._ids = itertools.count(1)
        self._answers = {}
        self._hello = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, server, token, epoch, position, view) -> "Connection":
        began = time.monotonic()
        websocket = await connect(
            server.ws_url, additional_headers={"Authorization": f"Bearer {token}"}, compression=None, proxy=None,
            ping_interval=None, open_timeout=20, close_timeout=5, max_size=None, max_queue=None,
        )  # fmt: skip
        connection = cls(websocket, epoch, position, view)
        try:
            await connection._resume(began)
        except BaseException:
            await connection.close(clean=False)
            raise
        return connection

    async def _resume(self, began):
        start = self.position
        self.late = time.monotonic() - began > HELD
        answer = await self.begin("resume", self._resumed, epoch=self.epoch, position=start)
        answer, hello = await asyncio.wait_for(asyncio.gather(answer, self._hello), 30)
        assert answer["type"] == "ok", answer
        assert self.resync or hello["epoch"] == self.epoch, f"another epoch: {hello}"
        assert hello["position"] >= start, f"the store is behind {start}: {hello}"
        assert answer["position"] >= start, f"resumed from {start}: {answer}"

    def _resumed(self, answer):
        events, self.replayed = self.replayed, None
        for index in range(1, len(events)):
            if events[index]["position"] <= events[index - 1]["position"]:
                # Live events came before the server had read `resume`, and come again behind it.
                assert self.late, f"went back: {events[index - 1]} {events[index]}"
                self.late, events = False, events[index:]
                break
        for event in events:
            self._event(event)
        # After a resync there is no going on from the old place.
        self.position = answer["position"] if self.resync else max(self.position, answer["position"])

    # Hearing

    async def _read(self):
        try:
            async for frame in self.websocket:
                self._hear(json.loads(frame))
        except ConnectionClosed:
            pass
        except Exception as error:  # whatever it is, it is the end of this connection and of the test
            self.fault = AssertionError(f"{error}\n{self.view.story(json.loads(frame).get('conversation'))}")
            self.websocket.transport.abort()
        finally:
            for future in [self._hello, *(future for future, _ in self._answers.values())]:
                if not future.done():
                    future.set_exception(ConnectionError(f"closed with {self.websocket.close_code}"))
                    future.exception()

    def _hear(self, message):
        self.view.note("heard", message)
        match message["type"]:
            case "ok" | "error" if "id" in message:
                future, done = self._answers.pop(message["id"])
                if message["type"] == "ok":
                    done(message)  # at once: what comes behind it may count on it
                if not future.done():
                    future.set_result(message)
            case "hello":
                self._hello.set_result(message)
            case "resync":
                self.resync = message["reason"]
                self.view.begin_anew()
            case "heartbeat" if self.replayed is not None:
                pass
            case "heartbeat":
                assert message["position"] >= self.position, f"behind {self.position}: {message}"
                self.position = message["position"]
            case "typing" | "presence":
                assert "position" not in message, message
            case "goaway":
                pass
            case "message" | "receipt" | "conversation":
                self._event(message)
            case _:
                raise AssertionError(f"unexpected: {message}")

    def _event(self, event):
        if self.replayed is not None:
            self.replayed.append(event)
            return
        assert event["position"] > self.position, f"behind {self.position}: {event}"
        self.position = event["position"]
        self.view.take(event)

    # Asking

    async def begin(self, type, done=lambda answer: None, **fields) -> asyncio.Future:
        """`done` is given the `ok` in its place among the events."""
        id = str(next(self._ids))
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._answers[id] = future, done
        self.view.note("asked", {"type": type, "id": id, **fields})
        await self.websocket.send(json.dumps({"type": type, "id": id, **fields}))
        return future

    async def ask(self, type, done=lambda answer: None, **fields) -> dict:
        return await asyncio.wait_for(await self.begin(type, done, **fields), 30)

    async def close(self, clean):
        if not clean:
            if raw := self.websocket.transport.get_extra_info("socket"):
                try:  # RST in place of FIN
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass
            self.websocket.transport.abort()
        try:
            await self.websocket.close()
        except LOST:
            pass
        await self._reader
        if self.fault:
            raise self.fault
