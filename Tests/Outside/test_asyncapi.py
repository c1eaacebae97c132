"""The description of the WebSocket: that it is one, and that what goes over a socket is what it says."""

import asyncio
import json
import signal
import warnings

import pytest
from harness.api import Api, admin, create_user, direct, group, post_message
from harness.client import Client
from harness.energy import at, create_device, interval, send
from harness.server import wattloop
from jsonschema import Draft7Validator, FormatChecker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's, of names that the library gives its own fields
    from asyncapi3.models.asyncapi import AsyncAPI3

REQUESTS = {
    "auth", "refresh", "resume", "send", "edit", "delete", "received", "read", "typing", "history", "watch", "unwatch",
    "ping",
}
EVENTS = {
    "hello", "message", "receipt", "typing", "presence", "conversation", "alert", "consumption", "heartbeat", "resync",
    "goaway", "error",
}
MESSAGES = "#/channels/socket/messages/"
NOON = at("2026-02-03T12:00")


def fetch(server) -> dict:
    answer = Api(server).get(server.url + "/asyncapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    return answer.json()


class Description:
    """Which of the described messages a frame is."""

    def __init__(self, document):
        self.document = document
        self.messages = document["components"]["messages"]
        self.validators = {name: self.validator(message["payload"]) for name, message in self.messages.items()}
        operations = document["operations"].values()
        self.events = {name for one in operations if one["action"] == "send" for name in names(one)}
        self.replies = {name: names(one["reply"]) for one in operations if "reply" in one for name in names(one)}
        self.answers = {name for replies in self.replies.values() for name in replies}

    def validator(self, schema) -> Draft7Validator:
        whole = {"allOf": [schema], "components": self.document["components"]}
        return Draft7Validator(whole, format_checker=FormatChecker())

    def name(self, frame, candidates) -> str:
        """The one among the candidates that the frame is."""
        fitting = [name for name in candidates if self.validators[name].is_valid(frame)]
        assert len(fitting) == 1, (frame, fitting, self.faults(frame, candidates))
        return fitting[0]

    def faults(self, frame, candidates) -> dict:
        """What stands against its being a message of its type."""
        faults = {name: list(self.validators[name].iter_errors(frame)) for name in candidates}
        return {
            name: [error.message for error in errors] for name, errors in faults.items()
            if not any(list(error.path) == ["type"] for error in errors)
        }

    def resolve(self, reference):
        found = self.document
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]
        return found


def names(holder) -> list:
    return [message["$ref"].removeprefix(MESSAGES) for message in holder["messages"]]


@pytest.fixture(scope="module")
def document(server) -> dict:
    return fetch(server)


@pytest.fixture(scope="module")
def description(document) -> Description:
    return Description(document)


def nodes(node, where="#"):
    """Every object of the document, with its place."""
    if isinstance(node, dict):
        yield where, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []
    for key, value in children:
        yield from nodes(value, f"{where}/{key}")


# The document


def test_the_document_is_asyncapi_3_0(document):
    AsyncAPI3.model_validate(document)
    assert document["asyncapi"] == "3.0.0"


def test_the_document_is_of_this_version(document, server):
    assert document["info"]["version"] == Api(server).get(server.url + "/version").json()["version"]


def test_every_reference_leads_somewhere(document, description):
    references = [node["$ref"] for _, node in nodes(document) if "$ref" in node]
    assert len(references) > 100
    for reference in references:
        assert reference.startswith("#/"), reference
        description.resolve(reference)


def test_every_schema_is_one(document):
    schemas = document["components"]["schemas"] | {
        name: message["payload"] for name, message in document["components"]["messages"].items()
    }
    for schema in schemas.values():
        Draft7Validator.check_schema(schema)
    for where, node in nodes(schemas):
        # Draft 7 passes over what stands beside a reference.
        assert "$ref" not in node or len(node) == 1, where


def test_every_request_and_event_is_described(description):
    def types(described):
        return {description.messages[name]["payload"]["properties"]["type"]["const"] for name in described}

    assert types(description.replies) == REQUESTS
    assert types(description.events) == EVENTS
    assert types(description.answers) == {"ok", "error"}


def test_every_message_has_its_operation(document, description):
    """AsyncAPI 3.0: operations and replies name messages of the channel; here all, and each in one part alone."""
    for name, operation in document["operations"].items():
        assert operation["channel"]["$ref"] == "#/channels/socket" and operation["summary"], name
        for holder in [operation, *([operation["reply"]] if "reply" in operation else [])]:
            assert all(message["$ref"].startswith(MESSAGES) for message in holder["messages"]), name
    requests, answers, events = set(description.replies), description.answers, description.events
    assert requests | answers | events == set(document["channels"]["socket"]["messages"]) == set(description.messages)
    assert len(requests) + len(answers) + len(events) == len(description.messages)
    for name in requests | answers:
        assert "correlationId" in description.messages[name], name


def test_every_example_is_the_message_that_it_shows(description):
    parts = [description.replies, description.events, *description.replies.values()]
    for name, message in description.messages.items():
        assert message["examples"], name
        candidates = next(part for part in parts if name in part)
        for example in message["examples"]:
            assert description.name(example["payload"], candidates) == name
    for name, schema in description.document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            assert description.validator(schema).is_valid(example), name


# The server


class Tap:
    """A connection that keeps the frames which go out over it."""

    def __init__(self, connection, keep):
        self.connection = connection
        self.keep = keep

    async def send(self, frame):
        self.keep(frame)
        await self.connection.send(frame)

    def __aiter__(self):
        return aiter(self.connection)

    def __getattr__(self, name):
        return getattr(self.connection, name)


class Recorder(Client):
    """A client that keeps every frame in both directions, with who sent it."""

    def __init__(self, connection):
        self.frames = []
        super().__init__(Tap(connection, lambda frame: self.frames.append(("client", parsed(frame)))))

    async def _take(self, message):
        self.frames.append(("server", message))
        await super()._take(message)


def parsed(frame):
    """The frame's JSON; what is none, as it is."""
    try:
        return json.loads(frame)
    except ValueError:
        return frame


def held(description, client) -> set:
    """Holds every frame of a client to the description; the names of the messages that went over its socket."""
    seen = set()
    replies = {}
    for sender, frame in client.frames:
        if sender == "client" and frame in client.wrong:
            assert not any(description.validators[name].is_valid(frame) for name in description.replies), frame
            continue
        if sender == "client":
            name = description.name(frame, description.replies)
            replies[frame["id"]] = description.replies[name]
        elif frame["type"] in ("ok", "error") and "id" in frame:
            name = description.name(frame, replies.pop(frame["id"]))
        else:
            name = description.name(frame, description.events)
        seen.add(name)
    assert not replies, "every request is answered"
    codes = {code["code"] for code in description.document["channels"]["socket"]["x-close-codes"]}
    assert client.close_code in codes
    return seen


class Play:
    """Two users, an administrator, and their sockets."""

    def __init__(self, server):
        self.server = server
        self.clients = []
        self.administrator = admin(server)
        self.alice, self.bob = create_user(self.administrator, "alice"), create_user(self.administrator, "bob")
        self.talk = direct(self.alice, self.bob)

    async def open(self, user, by="header", token=None) -> Recorder:
        client = await Recorder.open(self.server, token or user.token, by)
        client.wrong = []
        self.clients.append(client)
        return client

    def token(self, user, life) -> str:
        return wattloop("token", user.username, "--data", self.server.data, "--ttl", life).stdout.strip()

    async def run(self):
        await self.sessions()
        self.hers, self.other, self.his = [await self.open(user) for user in (self.alice, self.alice, self.bob)]
        await self.messages()
        await self.marks()
        await self.typing()
        await self.groups()
        await self.energy()
        await self.refusals()
        await self.presence()
        await self.resumption()
        await self.end()

    async def sessions(self):
        client = await self.open(self.alice, "frame", self.token(self.alice, "20s"))
        soon = await client.expect("error", problem="/problems/token-expiring")
        assert soon["expires_at"] == client.auth_answer["expires_at"]
        await client.ok("refresh", token=self.alice.token)
        await client.ok("ping")
        await client.expect("heartbeat")
        await client.close()

    async def messages(self):
        sent = await self.hers.send(self.talk, "First", key="first")
        assert (await self.hers.send(self.talk, "First", key="first"))["duplicate"]
        assert (await self.other.expect("message", seq=sent["seq"]))["key"] == "first"
        await self.his.expect("message", seq=sent["seq"])
        await self.his.send(self.talk, "Second", reply_to=sent["seq"])
        await self.hers.expect("message", text="Second", reply_to=sent["seq"])
        edited = await self.hers.ok("edit", conversation=self.talk, seq=sent["seq"], text="Edited")
        assert (await self.his.expect("message", position=edited["position"]))["edited_at"] == edited["timestamp"]
        deleted = await self.hers.ok("delete", conversation=self.talk, seq=sent["seq"])
        gone = await self.other.expect("message", position=deleted["position"])
        assert (gone["text"], gone["deleted_at"]) == ("", deleted["timestamp"])
        post_message(self.bob, self.talk, "Over REST")
        await self.his.expect("message", text="Over REST")
        for bounds in [{}, {"before_seq": 2, "limit": 1}, {"after_seq": 0, "limit": None}]:
            assert (await self.hers.ok("history", conversation=self.talk, **bounds))["messages"]

    async def marks(self):
        await self.hers.ok("received", conversation=self.talk, seq=2)
        await self.his.expect("receipt", user=self.alice.id, received_seq=2, read_seq=0)
        await self.hers.ok("read", conversation=self.talk, seq=2)
        await self.his.expect("receipt", user=self.alice.id, read_seq=2)
        await self.hers.ok("read", conversation=self.talk, seq=3, private=True)
        await self.other.expect("receipt", user=self.alice.id, read_seq=3)
        await self.his.expect("receipt", user=self.alice.id, received_seq=3, read_seq=2)

    async def typing(self):
        for active in (True, False):
            await self.hers.ok("typing", conversation=self.talk, active=active)
            await self.his.expect("typing", user=self.alice.id, active=active)

    async def groups(self):
        club = group(self.alice, title="Mill Lane")
        path = f"/conversations/{club}"
        await self.hers.expect("conversation", conversation=club, change="created", kind="group", title="Mill Lane")
        assert self.alice.api.post(f"{path}/members", {"user_id": self.bob.id}).status_code == 200
        added = await self.his.expect("conversation", conversation=club, change="member_added", user=self.bob.id)
        assert added["profile"]["username"] == self.bob.username
        for title in ("Mill Lane 3", None):
            assert self.bob.api.request("PATCH", path, json={"title": title}).status_code == 200
            await self.hers.expect("conversation", conversation=club, change="updated", title=title, by=self.bob.id)
        assert self.alice.api.request("DELETE", f"{path}/members/{self.bob.id}").status_code == 204
        await self.his.expect("conversation", conversation=club, change="member_removed", user=self.bob.id)

    async def energy(self):
        device = create_device(self.administrator, self.alice, max_hourly_kwh=1)
        assert (await self.hers.ok("watch", device=device))["latest"] is None
        hour = (NOON, NOON.replace(hour=13))
        send(self.administrator, device, [interval(*hour, 2)])
        await self.hers.expect("consumption", device=device, value=0.5, coverage=1)
        assert (await self.hers.ok("watch", device=device))["latest"]["end"] == "2026-02-03T13:00:00.000Z"
        await self.hers.ok("unwatch", device=device)
        alert = (await self.hers.expect("alert", device=device, state="firing"))["id"]
        await self.hers.expect("message", kind="alert")
        assert self.alice.api.post(f"/alerts/{alert}/acknowledge").status_code == 200
        await self.hers.expect("alert", id=alert, state="acknowledged")
        send(self.administrator, device, [interval(*hour, 0.5)])
        await self.hers.expect("alert", id=alert, state="cleared")

    async def refusals(self):
        await self.hers.problem("send", "not-found", conversation="c999999", text="x", key="nowhere")
        await self.hers.problem("send", "idempotency-conflict", conversation=self.talk, text="Other", key="first")
        await self.hers.problem("edit", "forbidden", conversation=self.talk, seq=2, text="x")
        await self.hers.problem("edit", "conflict", conversation=self.talk, seq=1, text="x")
        assert (await self.hers.problem("read", "validation", conversation=self.talk, seq=999))["errors"]
        await self.hers.problem("watch", "not-found", device="d999999")
        for frame in ("no JSON", {"type": "ping"}):
            self.hers.wrong.append(frame)
            await self.hers.raw(frame if isinstance(frame, str) else json.dumps(frame))
            await self.hers.expect("error")

    async def presence(self):
        """Last, for it takes a second until somebody counts as gone."""
        await self.hers.expect("presence", user=self.bob.id, state="online")
        await self.his.close()
        await self.hers.expect("presence", user=self.bob.id, state="offline")

    async def resumption(self):
        client = await self.open(self.bob)
        told = await client.ok("resume", epoch=client.hello["epoch"], position=0)
        kinds = {event["type"] for event in client.events if event.get("position", told["position"]) < told["position"]}
        assert {"message", "receipt", "conversation"} <= kinds
        await client.ok("resume", epoch="another", position=told["position"])
        await client.expect("resync", reason="epoch_changed")

    async def end(self):
        """The server stops: the sockets that are open are told, and end."""
        open_ones = [client for client in self.clients if client.close_code is None]
        assert len(open_ones) > 2
        self.server.signal(signal.SIGTERM)
        for client in open_ones:
            assert (await client.expect("goaway"))["reconnect_after_ms"] > 0
            await client.closed()
        assert await asyncio.to_thread(self.server.wait) == 0


async def test_everything_that_goes_over_a_socket_is_described(serve):
    running = serve("--heartbeat", "1s")
    description = Description(fetch(running))
    play = Play(running)
    await play.run()
    seen = set()
    for client in play.clients:
        assert client.stray_answers == []
        seen |= held(description, client)
    assert sorted(set(description.messages) - seen) == [], "described, but never seen"
