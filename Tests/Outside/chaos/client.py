"""One client: it comes and goes, does things at random, and keeps a view of all it hears."""

import asyncio
import itertools
import json
import random
import socket
import struct

import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from .view import View

LOST = (OSError, ConnectionClosed, InvalidHandshake, EOFError, TimeoutError)


class ChaosClient:
    """`run` until `stop` is set; then `settle`."""

    def __init__(self, server, user, seed):
        self.server = server
        self.user = user
        self.random = random.Random(seed)
        self.view = View(user.id)
        self.epoch = None
        self.position = None  # all up to here is in the view
        self.unsent = []  # (conversation, key, text): not acknowledged yet
        self.acknowledged = {}  # key → (conversation, seq)
        self.resyncs = self.connections = 0
        self._keys = itertools.count(1)
        self._ids = itertools.count(1)

    # Coming and going

    async def run(self, stop: asyncio.Event):
        while not stop.is_set():
            try:
                await self._session(stop)
            except LOST:
                if stop.is_set():
                    raise
            await asyncio.sleep(self.random.uniform(0, 0.3))

    async def settle(self):
        """Comes once more, sends what is left, and hears all there is."""
        for attempt in range(50):
            try:
                await self._open()
                try:
                    for send in list(self.unsent):
                        await self._send(*send)
                    await self._fetch_new()
                    await self._ask("ping")
                    return
                finally:
                    await self._close(clean=True)
            except LOST:
                await asyncio.sleep(0.2)
        raise AssertionError(f"{self.user.username} cannot settle")

    async def hear(self):
        """Comes for the last time, when nobody says anything any more."""
        await self._open()
        await self._fetch_new()
        await self._ask("ping")
        await self._close(clean=True)

    async def _session(self, stop):
        await self._open()
        clean = False
        try:
            for send in list(self.unsent):
                await self._send(*send)
            for _ in range(self.random.randint(1, 40)):
                if stop.is_set():
                    break
                await self._act()
                await self._fetch_new()
                await asyncio.sleep(self.random.uniform(0, 0.15))
            clean = self.random.random() < 0.5
        finally:
            await self._close(clean)

    async def _open(self):
        if self.position is None:
            await self._fetch_all()
        headers = {"Authorization": f"Bearer {self.user.token}"}
        self.connection = await connect(
            self.server.ws_url,
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=10,
            max_size=None,
            max_queue=None,
        )
        self.connections += 1
        self._answers = {}
        self._last = self.position  # the last position on this connection: it has all up to there
        self._hello = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())
        try:
            hello = await asyncio.wait_for(asyncio.shield(self._hello), 10)
            answer = await self._ask("resume", epoch=self.epoch, position=self.position)
            if self._needs_resync:
                self.position = None
                raise ConnectionError("to be fetched anew")
            self.position = max(self.position, answer["position"])
            assert hello["epoch"] == self.epoch
        except BaseException:
            await self._close(clean=False)
            raise

    async def _close(self, clean):
        if not clean:
            # RST instead of FIN.
            raw = self.connection.transport.get_extra_info("socket")
            if raw is not None:
                try:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass
            self.connection.transport.abort()
        try:
            await self.connection.close()
        except LOST:
            pass
        error = (await asyncio.gather(self._reader, return_exceptions=True))[0]
        if isinstance(error, AssertionError):
            raise error

    # Hearing

    async def _read(self):
        self._needs_resync = False
        try:
            async for frame in self.connection:
                self._take(json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            for future in [self._hello, *(future for future, _ in self._answers.values())]:
                if not future.done():
                    future.set_exception(ConnectionError("closed"))
                    future.exception()

    def _take(self, message):
        kind = message["type"]
        if kind in ("ok", "error") and "id" in message:
            future, apply = self._answers.pop(message["id"], (None, None))
            assert future is not None, f"an answer to nothing: {message}"
            if kind == "ok" and apply is not None:
                # At once: what comes right behind it counts on it.
                apply(message)
            if not future.done():
                future.set_result(message)
        elif kind == "hello":
            self._hello.set_result(message)
        elif kind == "resync":
            self._needs_resync = True
            self.resyncs += 1
        elif kind == "heartbeat":
            assert message["position"] >= self._last, f"a heartbeat from before: {message}"
            self.position = max(self.position, message["position"])
        elif "position" in message:
            assert message["position"] > self._last, (
                f"{self.user.username}: {message} comes behind position {self._last}"
            )
            self._last = message["position"]
            if kind in ("message", "receipt", "conversation"):
                self.view.take(message)
            self.position = max(self.position, message["position"])

    # Asking

    async def _ask(self, type, apply=None, **fields) -> dict:
        """`apply` is given the `ok`."""
        id = str(next(self._ids))
        future = asyncio.get_running_loop().create_future()
        self._answers[id] = future, apply
        await self.connection.send(json.dumps({"type": type, "id": id, **fields}))
        answer = await asyncio.wait_for(future, 20)
        if answer["type"] == "error":
            # Somebody may have removed us, or deleted the message, a moment ago.
            assert answer["problem"] in (
                "/problems/not-found",
                "/problems/forbidden",
                "/problems/conflict",
                "/problems/busy",
            ), answer
        return answer

    async def _rest(self, path, **query):
        def get():
            answer = requests.get(
                self.server.api_url + path,
                params=query,
                headers={"Authorization": f"Bearer {self.user.token}"},
                timeout=20,
            )
            return answer.status_code, answer.json()

        return await asyncio.to_thread(get)

    async def _messages(self, id) -> list:
        found = []
        while True:
            status, page = await self._rest(
                f"/conversations/{id}/messages", after_seq=found[-1]["seq"] if found else 0, limit=500
            )
            if status != 200:
                return []
            found += page["items"]
            if not page["more"]:
                return found

    async def _fetch_all(self):
        """At first, and after a resync: the list, and all messages up to at least its position."""
        status, page = await self._rest("/conversations", limit=500)
        assert status == 200, page
        self.view = View(self.user.id)
        for conversation in page["items"]:
            self.view.fetched(conversation, await self._messages(conversation["id"]))
        self.epoch, self.position = page["epoch"], page["position"]

    async def _fetch_new(self):
        """Conversations that it has been told of."""
        for id in list(self.view.awaited):
            status, conversation = await self._rest(f"/conversations/{id}")
            messages = await self._messages(id)
            # It may have been removed meanwhile, and has heard so or will.
            if status == 200 and id in self.view.awaited:
                self.view.fetched(conversation, messages)

    # Doing

    async def _act(self):
        mine = [id for id in self.view.conversations]
        if not mine:
            return
        id = self.random.choice(mine)
        known = self.view.conversations[id]
        last = max(known.messages, default=0)
        own = [seq for key, (where, seq) in self.acknowledged.items() if where == id]
        match self.random.randrange(12):
            case 0 | 1 | 2 | 3:
                key = f"{self.user.username}/{next(self._keys)}"
                self.unsent.append((id, key, f"{key} says {self.random.randrange(10**6)}"))
                await self._send(*self.unsent[-1])
            case 4 if own:
                text = f"edited {self.random.randrange(10**6)}"
                seq = self.random.choice(own)
                edited = lambda answer: self.view.changed(id, seq, answer, text, deleted=False)
                await self._ask("edit", edited, conversation=id, seq=seq, text=text)
            case 5 if own:
                seq = self.random.choice(own)
                deleted = lambda answer: self.view.changed(id, seq, answer, "", deleted=True)
                await self._ask("delete", deleted, conversation=id, seq=seq)
            case 6 | 7 if last:
                seq = self.random.randint(1, last)
                received = lambda answer: self.view.marked(id, seq, 0)
                await self._ask("received", received, conversation=id, seq=seq)
            case 8 | 9 if last:
                seq = self.random.randint(1, last)
                private = self.random.random() < 0.3
                read = lambda answer: self.view.marked(id, seq, seq)
                await self._ask("read", read, conversation=id, seq=seq, private=private)
            case 10:
                await self._ask("typing", conversation=id, active=self.random.random() < 0.7)
            case 11:
                await self._ask("history", conversation=id, limit=20)

    async def _send(self, id, key, text):
        def acknowledged(answer):
            self.view.sent(id, answer, text)
            self.acknowledged[key] = (id, answer["seq"])

        answer = await self._ask("send", acknowledged, conversation=id, key=key, text=text)
        if answer["type"] == "ok" or answer["problem"] == "/problems/not-found":
            self.unsent = [send for send in self.unsent if send[1] != key]
