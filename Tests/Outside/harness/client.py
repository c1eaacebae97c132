"""A WebSocket session: requests matched to answers by `id`, and the events in the order they came."""

import asyncio
import itertools
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from .api import check_problem, fresh_key


class Client:
    """Open with `await Client.open(server, token)`. Everything that is no answer lands in `events`, in order;
    `expect` takes the first unseen match out of `unseen`."""

    def __init__(self, connection):
        self.connection = connection
        self.events = []
        self.unseen = []
        self.heard = []  # answers and events alike, in order
        self.hello = None
        self.stray_answers = []  # an answer that nobody asked for, or a second one
        self._ids = itertools.count(1)
        self._waiting = {}
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, server, token, by="header", **options) -> "Client":
        """`by`: header, subprotocol or frame. Waits for `hello`."""
        client = await cls.connect(server, **credentials(token, by), **options)
        if by == "frame":
            client.auth_answer = await client.ok("auth", token=token)
        client.hello = await client.expect("hello")
        return client

    @classmethod
    async def connect(
        cls, server, headers=None, origin=None, subprotocols=None, path="", compression=None, extensions=None
    ):
        """The handshake alone; `InvalidStatus` when the server refuses it."""
        return cls(
            await connect(
                server.ws_url + path,
                additional_headers=headers,
                origin=origin,
                subprotocols=subprotocols,
                compression=compression,
                extensions=extensions,
                proxy=None,
                ssl=server.ssl,
                ping_interval=None,
                open_timeout=10,
                close_timeout=5,
                max_size=None,
                max_queue=None,
            )
        )

    async def _read(self):
        try:
            async for frame in self.connection:
                await self._take(json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError(f"closed with {self.connection.close_code}"))
            async with self._arrived:
                self._arrived.notify_all()

    async def _take(self, message):
        self.heard.append(message)
        if "id" in message and message["type"] in ("ok", "error"):
            future = self._waiting.pop(message["id"], None)
            if future is None:
                self.stray_answers.append(message)
            elif not future.done():
                future.set_result(message)
            return
        async with self._arrived:
            self.events.append(message)
            self.unseen.append(message)
            self._arrived.notify_all()

    async def begin(self, type, **fields) -> asyncio.Future:
        """Sends a request; the future holds its answer."""
        id = str(next(self._ids))
        future = asyncio.get_running_loop().create_future()
        # A test that gave up on the answer is no error of its own.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[id] = future
        await self.connection.send(json.dumps({"type": type, "id": id, **fields}))
        return future

    async def request(self, type, timeout=10, **fields) -> dict:
        """`ok` or `error`, as it came."""
        return await asyncio.wait_for(await self.begin(type, **fields), timeout)

    async def ok(self, type, **fields) -> dict:
        answer = await self.request(type, **fields)
        assert answer["type"] == "ok", answer
        return answer

    async def problem(self, type, problem=None, **fields) -> dict:
        """Asks for something that must be refused; `problem` without `/problems/`."""
        answer = await self.request(type, **fields)
        assert answer["type"] == "error", answer
        # A problem's own `type` stands in `problem`: the envelope's `type` is "error".
        check_problem(answer | {"type": answer["problem"]}, problem)
        assert answer["temporary"] is False, answer
        return answer

    async def send(self, conversation, text, key=None, **fields) -> dict:
        return await self.ok("send", conversation=conversation, text=text, key=key or fresh_key(), **fields)

    async def raw(self, frame):
        """Sends one frame as it is: `str` is text, `bytes` is binary, a list is fragments."""
        await self.connection.send(frame)

    async def ask(self, id, frame, timeout=10) -> dict:
        """Sends a frame as it is, in which a request calls itself `id`; its answer."""
        self._waiting[id] = asyncio.get_running_loop().create_future()
        answer = self._waiting[id]
        await self.raw(frame)
        return await asyncio.wait_for(answer, timeout)

    async def expect(self, type, timeout=10, **fields) -> dict:
        """The first unseen event of this type with these fields; waits for it."""

        def match():
            for index, event in enumerate(self.unseen):
                if event["type"] == type and all(event.get(k) == v for k, v in fields.items()):
                    return index
            return None

        async with self._arrived:
            waiting = self._arrived.wait_for(lambda: match() is not None or self._reader.done())
            try:
                await asyncio.wait_for(waiting, timeout)
            except TimeoutError:
                pass
            index = match()
            assert index is not None, f"no {type} {fields}: closed {self.close_code}, unseen {self.unseen}"
            return self.unseen.pop(index)

    async def settle(self):
        """A round trip: what was ready for this session before has arrived after it. A message that waits for
        its commit may still come later."""
        await self.ok("ping")

    def of(self, type) -> list:
        """Every event of this type so far, in order."""
        return [event for event in self.events if event["type"] == type]

    @property
    def close_code(self):
        return self.connection.close_code

    async def closed(self, timeout=10) -> int:
        """Waits for the end; the close code."""
        await asyncio.wait_for(self.connection.wait_closed(), timeout)
        await self._reader
        return self.close_code

    async def close(self):
        await self.connection.close()
        await self._reader


def credentials(token, by) -> dict:
    """What the handshake carries."""
    match by:
        case "header":
            return {"headers": {"Authorization": f"Bearer {token}"}}
        case "subprotocol":
            return {"subprotocols": ["wattloop.v1", f"bearer.{token}"]}
        case "frame":
            return {}
