"""One client: it comes and goes, does things at random, keeps at them until they are answered, and hears the others."""

import asyncio
import itertools
import random
from dataclasses import dataclass, field

import requests

from .connection import LOST, Connection
from .view import View

PASSING = "/problems/busy"
REMOVED = "/problems/not-found"  # of a group that it is not in any more
DELETED = "/problems/conflict"  # an edit of what somebody has deleted


@dataclass
class Act:
    """Something that is to be done once, whatever happens: it is asked for until there is an answer."""

    type: str
    conversation: str
    fields: dict
    over_rest: bool = False


@dataclass
class Tally:
    connections: int = 0
    resyncs: int = 0
    acts: int = 0
    again: int = 0
    refused: int = 0


@dataclass(eq=False)
class ChaosClient:
    """`run` until `stop` is set; then `settle`, and when all have settled, `hear`."""

    world: object
    name: str
    user: object
    random: random.Random
    acknowledged: dict = field(default_factory=dict)  # key → (conversation, seq, position, text)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self):
        self.view = View(self.user.id)
        self.view.unanswered = lambda id: sum(act.type == "send" and act.conversation == id for act in self.open_acts)
        self.place = None  # epoch and position; None: everything is to be fetched
        self.connection = None
        self.open_acts = []
        self.gone = set()  # groups in which something was refused because it was not in them
        self._numbers = itertools.count(1)
        self._http = requests.Session()
        self._http.trust_env = False

    # Coming and going

    async def run(self, stop: asyncio.Event):
        while not stop.is_set():
            try:
                await self._session(stop)
            except LOST:
                pass
            await asyncio.sleep(self.random.uniform(2, 5) if self.random.random() < 0.05 else self.random.uniform(0, 0.5))

    async def settle(self):
        """Does what is left to do."""
        for _ in range(100):
            try:
                await self._open()
                await self._close(clean=True)
                if not self.open_acts:
                    return
            except LOST:
                await asyncio.sleep(0.2)
        raise AssertionError(f"{self.name} cannot settle: {self.open_acts}")

    async def hear(self):
        """Comes for the last time, when nobody says anything any more."""
        await self._open()
        await self.connection.ask("ping")
        await self._close(clean=True)
        holes = {id: missing for id, room in self.view.rooms.items() if (missing := room.missing())}
        assert not holes and not self.view.waiting, f"{self.name} misses {holes} and waits for {self.view.waiting}"

    async def _session(self, stop):
        await self._open()
        clean = False
        try:
            for _ in range(self.random.randint(1, 30)):
                if stop.is_set():
                    break
                acts = [act for _ in range(self.random.choice([1, 1, 1, 2, 4])) if (act := self._choose())]
                self.open_acts += acts
                await self._do(acts)
                await self._fetch_waiting()
                if self.random.random() < 0.03:
                    await asyncio.to_thread(self.world.change_group, self.user, self.random.random())
                await asyncio.sleep(self.random.uniform(0, 1))
            clean = self.random.random() < 0.5
        finally:
            await self._close(clean)

    async def _open(self):
        if self.place is None or self.view.held is not None:
            self.place = None
            self.view.begin_anew()
            await self._fetch_everything()
        epoch, position = self.place
        if self.random.random() < 0.02:
            epoch = "of another store"
        self.connection = await Connection.open(self.world.server, self.user.token, epoch, position, self.view)
        self.tally.connections += 1
        try:
            if self.connection.resync:
                self.tally.resyncs += 1
                self.place = None
                await self._fetch_everything()
                self.connection.epoch = self.place[0]
            await self._do_again()
            await self._fetch_waiting()
        except BaseException:
            await self._close(clean=False)
            raise

    async def _close(self, clean):
        if self.connection is None:
            return
        connection, self.connection = self.connection, None
        try:
            await connection.close(clean)
        except AssertionError as fault:
            raise AssertionError(f"{self.name} ({self.user.id}): {fault}") from fault
        finally:
            if self.place is not None:
                self.place = connection.epoch, connection.position
        if not clean and self.random.random() < 0.2:
            await self._hear_nothing()

    async def _hear_nothing(self):
        """Who takes the place of a connection that was reset, and says nothing, hears nothing: no bytes of that one."""
        try:
            reader, writer = await asyncio.open_connection(self.world.server.host, self.world.server.port)
            try:
                heard = await asyncio.wait_for(reader.read(1000), 0.05)
            finally:
                writer.close()
        except OSError:  # a time-out too: as it should be
            return
        assert heard == b"", f"{self.name}: a connection that has said nothing heard {heard}"

    # Fetching

    async def _get(self, path, **query) -> dict:
        """None when there is nothing (any more)."""
        url, headers = self.world.server.api_url + path, {"Authorization": f"Bearer {self.user.token}"}
        answer = await asyncio.to_thread(self._http.get, url, params=query, headers=headers, timeout=30)
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None

    async def list(self) -> tuple:
        """The epoch and the lowest position, and `[(conversation, position of its page)]`."""
        found, query, pages = [], {"limit": 500}, []
        while True:
            page = await self._get("/conversations", **query)
            pages.append(page)
            found += [(conversation, page["position"]) for conversation in page["items"]]
            if page["next_cursor"] is None:
                return pages[0]["epoch"], pages[0]["position"], found
            query["cursor"] = page["next_cursor"]

    async def messages(self, id) -> list:
        found = []
        while True:
            page = await self._get(f"/conversations/{id}/messages", after_seq=len(found), limit=500)
            if page is None:
                return None
            found += page["items"]
            assert [message["seq"] for message in found] == list(range(1, len(found) + 1)), f"a gap in {id}"
            if not page["more"]:
                return found

    async def _fetch_everything(self):
        """At first, and after a `resync`: the list, and the messages as they are a moment later."""
        epoch, position, found = await self.list()
        loaded = [(*one, await self.messages(one[0]["id"])) for one in found]
        for conversation, page_position, messages in loaded:
            if messages is None:
                self.view.waiting[conversation["id"]] = []  # removed just now: it will hear of it
            else:
                self.view.load(conversation, page_position, messages)
        self.view.end_anew(position)
        self.place = epoch, position

    async def _fetch_waiting(self):
        """Conversations that it was added to: their past, and on top of it what it has heard meanwhile."""
        if not self.view.waiting:
            return
        heard = self.connection.position
        _, position, found = await self.list()
        assert position >= heard, f"{self.name} has heard {heard}, and the list is of {position}"
        for conversation, page_position in found:
            if self.view.awaits(conversation["id"], page_position):
                messages = await self.messages(conversation["id"])
                if messages is not None and self.view.awaits(conversation["id"], page_position):
                    self.view.load(conversation, page_position, messages)

    # Doing

    def _choose(self) -> Act:
        rooms = [id for id in self.view.rooms if id in self.world.rooms]
        if not rooms:
            return None
        id = self.random.choice(sorted(rooms))
        last = self.view.rooms[id].last
        own = [seq for seq, message in self.view.rooms[id].messages.items() if message["sender"] == self.user.id]
        any_seq = own if self.user.role != "admin" else range(1, last + 1)
        number = f"{self.name}/{next(self._numbers)}"
        over_rest = self.random.random() < 0.15
        match self.random.choices(("send", "edit", "delete", "received", "read", "typing"), (8, 2, 1, 2, 4, 1))[0]:
            case "edit" if own:
                return Act("edit", id, {"seq": self.random.choice(own), "text": f"{number} edited"}, over_rest)
            case "delete" if any_seq:
                return Act("delete", id, {"seq": self.random.choice(any_seq)}, over_rest)
            case "received" if last:
                return Act("received", id, {"seq": self.random.randint(1, last)})
            case "read" if last:
                private = self.random.random() < 0.3
                return Act("read", id, {"seq": self.random.randint(max(1, last - 20), last), "private": private}, over_rest)
            case "typing":
                return Act("typing", id, {"active": self.random.random() < 0.7})
            case _:
                reply_to = self.random.randint(1, last) if last and self.random.random() < 0.2 else None
                fields = {"key": number, "text": f"{number} says {self.random.randrange(10**6)}"}
                return Act("send", id, fields | ({"reply_to": reply_to} if reply_to else {}), over_rest)

    async def _do(self, acts):
        """All at once. Whatever has no answer stays open, and is done again."""
        self.tally.acts += len(acts)
        outcomes = await asyncio.gather(*[self._one(act) for act in acts], return_exceptions=True)
        faults = [outcome for outcome in outcomes if outcome is not None]
        for fault in sorted(faults, key=lambda fault: isinstance(fault, LOST)):
            raise fault

    async def _one(self, act):
        if act.over_rest:
            answer = await self._over_rest(act)
        else:
            done = lambda answer: self._done(act, answer)
            answer = await self.connection.ask(act.type, done, conversation=act.conversation, **act.fields)
        if answer["type"] == "error":
            self._refused(act, answer)

    async def _do_again(self):
        """One after another, in their order, over the socket."""
        for act in list(self.open_acts):
            act.over_rest = False
            self.tally.again += 1
            await self._do([act])

    async def _over_rest(self, act) -> dict:
        path = f"/conversations/{act.conversation}/"
        method, path, body = {
            "send": ("POST", path + "messages", act.fields),
            "edit": ("PATCH", path + f"messages/{act.fields['seq']}", act.fields) if act.type == "edit" else None,
            "delete": ("DELETE", path + f"messages/{act.fields['seq']}", None) if act.type == "delete" else None,
            "read": ("PUT", path + "read", act.fields),
        }[act.type]
        url, headers = self.world.server.api_url + path, {"Authorization": f"Bearer {self.user.token}"}
        answer = await asyncio.to_thread(self._http.request, method, url, json=body, headers=headers, timeout=30)
        if answer.status_code >= 400:
            problem = answer.json()
            return problem | {"type": "error", "problem": problem["type"]}
        # An event tells this session of it too; only a message is noted twice.
        if act.type == "send":
            self._done(act, answer.json() | {"duplicate": answer.status_code == 200})
        else:
            self.open_acts.remove(act)
        return {"type": "ok"}

    def _done(self, act, answer):
        id, fields = act.conversation, act.fields
        if act in self.open_acts:
            self.open_acts.remove(act)
        match act.type:
            case "send":
                self.view.sent(id, answer, fields["text"], fields.get("reply_to"))
                self.acknowledged[fields["key"]] = id, answer["seq"], answer["position"], fields["text"]
            case "edit" | "delete":
                self.view.changed(id, answer, fields.get("text"))
            case "received" | "read":
                self.view.marked(id, fields["seq"], fields["seq"] if act.type == "read" else 0)

    def _refused(self, act, answer):
        if answer["problem"] == PASSING:
            return  # it stays open
        self.tally.refused += 1
        self.open_acts.remove(act)
        room = self.view.rooms.get(act.conversation)
        if answer["problem"] == REMOVED:
            assert act.conversation in self.world.changing, f"{self.name}: {act} {answer}"
        elif answer["problem"] == DELETED and act.type == "edit":
            # Somebody was faster. By the end, it will have heard so.
            self.world.expect_deleted(self, act.conversation, act.fields["seq"])
        else:
            raise AssertionError(f"{self.name}: {act} {answer} {room and room.messages.get(act.fields.get('seq'))}")
