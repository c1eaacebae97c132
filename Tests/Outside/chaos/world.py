"""The server, its users and conversations, and what the store says at the end."""

import asyncio
import random

import requests

from harness.api import admin, create_user, direct, every_message, group
from harness.server import wattloop

from .client import ChaosClient

CLIENTS = 50


class World:
    def __init__(self, server, seed):
        self.server = server
        self.random = random.Random(seed)
        self.administrator = admin(server)
        users = [create_user(self.administrator, f"chaos{n}") for n in range(CLIENTS - 1)] + [self.administrator]
        for one, other in zip(users[:20:2], users[1:20:2]):
            direct(one, other)
        self.groups = []  # (id, founder, members that come and go)
        for number in range(6):
            members = self.random.sample(users[:-1], 12)
            id = group(members[0], *members[1:], title=f"group {number}")
            self.groups.append((id, members[0], members[6:]))
        group(users[0], *users[1:], title="all")
        for user in users[:3]:
            assert user.api.post("/support").status_code in (200, 201)
        self.clients = [ChaosClient(server, user, f"{seed}/{n}") for n, user in enumerate(users)]

    async def run(self, seconds):
        stop = asyncio.Event()
        clients = [asyncio.create_task(client.run(stop)) for client in self.clients]
        try:
            end = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(self.random.uniform(1.0, 3.0))
                for task in clients:
                    if task.done():
                        task.result()
                if self.random.random() < 0.3:
                    await asyncio.to_thread(self._crash)
                else:
                    await asyncio.to_thread(self._change_group)
        finally:
            stop.set()
            outcomes = await asyncio.gather(*clients, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, AssertionError):
                raise outcome
        await asyncio.gather(*(client.settle() for client in self.clients))
        await asyncio.gather(*(client.hear() for client in self.clients))

    def _crash(self):
        self.server.kill()
        self.server.start()

    def _change_group(self):
        id, founder, movable = self.random.choice(self.groups)
        try:
            if self.random.random() < 0.3:
                founder.api.request("PATCH", f"/conversations/{id}", json={"title": f"title {self.random.random()}"})
                return
            user = self.random.choice(movable)
            present = {member["id"] for member in founder.api.get(f"/conversations/{id}").json()["members"]}
            if user.id in present:
                founder.api.request("DELETE", f"/conversations/{id}/members/{user.id}")
            else:
                founder.api.post(f"/conversations/{id}/members", {"user_id": user.id})
        except requests.RequestException:
            pass  # the server is down: another time

    # The end

    def faults(self) -> list:
        """Everything in which a view differs from the store, and what the store says of itself."""
        found = []
        for client in self.clients:
            found += [f"{client.user.username} ({client.user.id}): {fault}" for fault in self._faults_of(client)]
        check = wattloop("check", "--data", self.server.data, timeout=120)
        if check.returncode != 0:
            found.append("check: " + check.stdout + check.stderr)
        return found

    def _faults_of(self, client):
        conversations = client.user.api.items("/conversations", params={"limit": 500})
        view = client.view.conversations
        if set(view) != {conversation["id"] for conversation in conversations}:
            yield f"knows {sorted(view)}, is in {sorted(c['id'] for c in conversations)}"
        own = {}
        for conversation in conversations:
            id = conversation["id"]
            stored = every_message(client.user, id)
            for message in stored:
                if message["sender"] == client.user.id and "key" in message:
                    if message["key"] in own:
                        yield f"{id}: the key {message['key']} is there twice"
                    own[message["key"]] = (id, message["seq"])
            if id in view:
                yield from self._differences(client, view[id], conversation, stored)
        for key, place in client.acknowledged.items():
            if place[0] in view and own.get(key) != place:
                yield f"{key} was acknowledged at {place}, and is at {own.get(key)}"

    def _differences(self, client, known, conversation, stored):
        id = conversation["id"]
        if known.title != conversation["title"]:
            yield f"{id}: title {known.title!r}, is {conversation['title']!r}"
        right = {
            m["seq"]: (m["position"], m["text"], "edited_at" in m, "deleted_at" in m) for m in stored
        }
        for seq in sorted(set(right) | set(known.messages)):
            if known.messages.get(seq) != right.get(seq):
                yield f"{id}/{seq}: knows {known.messages.get(seq)}, is {right.get(seq)}"
        marks = {m["id"]: (m["received_seq"], m["read_seq"]) for m in conversation["members"]}
        marks[client.user.id] = (conversation["received_seq"], conversation["read_seq"])
        for user in marks:
            if known.marks.get(user, (0, 0)) != marks[user]:
                yield f"{id}: knows the marks {known.marks.get(user)} of {user}, they are {marks[user]}"
        unread = sum(
            m["seq"] > conversation["read_seq"] and m["sender"] != client.user.id for m in stored
        )
        if unread != conversation["unread"]:
            yield f"{id}: {unread} are unread, and the server says {conversation['unread']}"

    def summary(self):
        total = lambda name: sum(getattr(client, name) for client in self.clients)
        sent = sum(len(client.acknowledged) for client in self.clients)
        return f"{total('connections')} connections, {sent} messages acknowledged, {total('resyncs')} resyncs"
