"""The users, their conversations, the server that dies under them, and what the store says at the end."""

import asyncio
import random

import requests

from harness.api import admin, create_user, direct, group

from .client import ChaosClient

CLIENTS, USERS, PAIRS, GROUPS = 50, 42, 12, 6


class World:
    """Fresh users and conversations on a running server."""

    def __init__(self, server, seed, round):
        self.server = server
        self.random = random.Random(f"{seed}/{round}")
        boss = admin(server)
        self.users = [create_user(boss, f"chaos{number}") for number in range(USERS)]
        self.rooms, self.changing = {}, {}  # id → a member who stays; id → those who come and go
        for _ in range(PAIRS):
            one, other = self.random.sample(self.users, 2)
            self.rooms[direct(one, other)] = one
        for number in range(GROUPS):
            founder, *others = self.random.sample(self.users, self.random.randint(6, 12))
            id = group(founder, *others, *([boss] if number % 2 else []), title=f"group {number}")
            self.rooms[id] = founder
            self.changing[id] = others + self.random.sample([one for one in self.users if one not in others], 4)
            self.changing[id] = [one for one in self.changing[id] if one is not founder]
        self.rooms[group(boss, *self.users, title="everybody")] = boss
        for user in self.users[:3]:
            self.rooms[user.api.post("/support").json()["id"]] = user
        sessions = [boss, *self.users, *self.users[: CLIENTS - USERS - 1]]
        self.clients = [
            ChaosClient(self, f"{user.username}.{round}.{number}", user, random.Random(f"{seed}/{round}/{number}"))
            for number, user in enumerate(sessions)
        ]
        self.kills = 0
        self._deleted = []

    # Chaos

    async def run(self, seconds):
        stop = asyncio.Event()
        running = [asyncio.create_task(client.run(stop)) for client in self.clients]
        try:
            end = asyncio.get_running_loop().time() + seconds
            while (left := end - asyncio.get_running_loop().time()) > 0:
                done, _ = await asyncio.wait(
                    running, timeout=min(left, self.random.uniform(2, 8)), return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
                await asyncio.to_thread(self._kill)
        finally:
            stop.set()
            outcomes = await asyncio.gather(*running, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        await asyncio.gather(*[client.settle() for client in self.clients])
        await asyncio.gather(*[client.hear() for client in self.clients])

    def _kill(self):
        self.server.kill()
        self.server.start()
        self.kills += 1

    def change_group(self, user, chance):
        """By one of its members: a title, somebody comes, somebody goes. The server may refuse, or be down."""
        id = self.random.choice(list(self.changing))
        other, path = self.random.choice(self.changing[id]), f"/conversations/{id}"
        try:
            if chance < 0.3:
                answer = user.api.request("PATCH", path, json={"title": f"title {chance}"})
            elif chance < 0.7:
                answer = user.api.post(path + "/members", {"user_id": other.id})
            else:
                by = self.rooms[id] if chance < 0.9 else other
                answer = by.api.request("DELETE", path + f"/members/{other.id}")
            assert answer.status_code in (200, 204, 403, 404), answer.text
        except requests.RequestException:
            pass

    def expect_deleted(self, client, conversation, seq):
        self._deleted.append((client, conversation, seq))

    # The end

    async def faults(self) -> list:
        """Everything in which a view differs from the store, and an answer from what is there."""
        found = []
        for client in self.clients:
            found += [f"{client.name} ({client.user.id}), {fault}" for fault in await faults_of(client)]
        found += await self._lost()
        for client, id, seq in self._deleted:
            if (room := client.view.rooms.get(id)) and "deleted_at" not in room.messages[seq]:
                found.append(f"{client.name}, {id}/{seq}: an edit was refused, and the message is there")
        return found

    async def _lost(self) -> list:
        """What was acknowledged is there, once."""
        found, stored, texts = [], {}, {}
        readers = {client.user.id: client for client in self.clients}
        for id, reader in self.rooms.items():
            stored[id] = await readers[reader.id].messages(id)
            for message in stored[id]:
                if message["text"] and message["text"] in texts:
                    found.append(f"{id}/{message['seq']}: the same as {texts[message['text']]}: {message['text']}")
                texts[message["text"]] = f"{id}/{message['seq']}"
        for client in self.clients:
            for key, (id, seq, position, text) in client.acknowledged.items():
                message = stored[id][seq - 1] if seq <= len(stored[id]) else {}
                changed = "edited_at" in message or "deleted_at" in message
                if message.get("sender") != client.user.id or not (changed or message["text"] == text):
                    found.append(f"{client.name}, {key}: acknowledged as {id}/{seq} at {position}, there is {message}")
        return found

    def summary(self) -> str:
        total = lambda name: sum(getattr(client.tally, name) for client in self.clients)
        messages = sum(len(client.acknowledged) for client in self.clients)
        return (
            f"{self.kills} kills, {total('connections')} connections, {total('resyncs')} resyncs, {total('acts')} acts, "
            f"{total('again')} done again, {total('refused')} refused, {messages} messages acknowledged"
        )


async def faults_of(client) -> list:
    """The client's view against what its user reads over REST."""
    found = []
    _, _, listed = await client.list()
    listed = {conversation["id"]: conversation for conversation, _ in listed}
    if set(listed) != set(client.view.rooms):
        found.append(f"is in {sorted(listed)}, and thinks {sorted(client.view.rooms)}")
    for id in sorted(set(listed) & set(client.view.rooms)):
        room, conversation, stored = client.view.rooms[id], listed[id], await client.messages(id)
        stored = {m["seq"]: {name: value for name, value in m.items() if name != "key"} for m in stored}
        for seq in sorted(set(stored) | set(room.messages)):
            if stored.get(seq) != room.messages.get(seq):
                found.append(f"{id}/{seq}:\n   view  {room.messages.get(seq)}\n   store {stored.get(seq)}")
        unread = sum(m["sender"] != client.user.id for seq, m in room.messages.items() if seq > room.own[1])
        members = {member["id"] for member in conversation["members"]}
        last = conversation["last_message"]
        compared = {
            "kind": (room.kind, conversation["kind"]),
            "title": (room.title, conversation["title"]),
            "members": (sorted(room.members), sorted(members)),
            "last_seq": (room.last, conversation["last_seq"]),
            "last_message": (room.messages.get(room.last), last and {k: v for k, v in last.items() if k != "key"}),
            "own marks": (own_marks(client, room), (conversation["received_seq"], conversation["read_seq"])),
            "unread": (unread, conversation["unread"]),
        }
        for member in conversation["members"]:
            if member["id"] != client.user.id:
                stands = member["received_seq"], member["read_seq"]
                compared[f"marks of {member['id']}"] = (room.marks_of(member["id"]), stands)
        found += [f"{id}: {name}: view {a}, store {b}" for name, (a, b) in compared.items() if a != b]
    return found


def own_marks(client, room) -> tuple:
    received, read = room.own
    return max(received, read), read
