"""What Schemathesis must know beyond the document: a caller that it can destroy and get anew, objects that are there, and
the few rules between fields that a schema cannot say. Loaded into its process; see test_openapi.py."""

import base64
import datetime
import itertools
import os
import re
import subprocess
import uuid

import requests
import schemathesis
from hypothesis import strategies as st

URL = os.environ["FUZZ_URL"]
API = URL + "/api/v1"
PASSWORD = "correct horse battery"
POOL = 3  # users and devices that stay
CURSOR = "NQ"  # stands for one that its list takes
CONVERSATION = "c-pool"  # stands for the caller's
WORDS = ["pump", "heat pump", "he*", '"heat pump" off']
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


class World:
    """The server's inhabitants. Users are made by the program itself, so it does not matter who was deleted over REST."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.http = requests.Session()
        self.http.trust_env = False
        self.keeper = self.login(self.add_user("admin"))
        self.users = [self.new_user() for _ in range(POOL)]
        self.caller = None
        self.devices = []
        self.makers = {}  # who has made a conversation
        self.renew()
        self.devices = [self.new_device() for _ in range(POOL)]
        self.alert = self.new_alert()

    def add_user(self, role) -> str:
        name = f"fuzz-{next(self.numbers)}"
        command = [os.environ["WATTLOOP"], "user", "add", name, "--role", role, "--data", os.environ["FUZZ_DATA"]]
        subprocess.run(command + ["--scrypt-n", "1024"], input=PASSWORD, text=True, check=True, capture_output=True)
        return name

    def login(self, name) -> dict:
        answer = self.http.post(API + "/auth/login", json={"username": name, "password": PASSWORD}, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def renew(self):
        """Another caller, if this one's token is dead. It gets the devices, a conversation with two messages, and a group."""
        if self.caller is not None and self.get("/users/me", self.caller).status_code == 200:
            return
        self.caller = self.login(self.add_user(os.environ["FUZZ_ROLE"]))
        for device in self.devices:
            self.patch(f"/devices/{device}", owner_id=self.caller["user"]["id"])
        self.conversation = self.post("/conversations", kind="direct", member_ids=self.users[:1])["id"]
        for _ in range(2):
            self.new_message()
        self.group = self.new_group()

    def get(self, path, session) -> requests.Response:
        return self.http.get(API + path, headers=bearer(session), timeout=10)

    def post(self, path, **body) -> dict:
        session = self.caller if path.startswith("/conversations") else self.keeper
        return checked(self.http.post(API + path, json=body, headers=bearer(session), timeout=10))

    def patch(self, path, **body) -> dict:
        return checked(self.http.patch(API + path, json=body, headers=bearer(self.keeper), timeout=10))

    def new_user(self) -> str:
        name = f"pool-{uuid.uuid4()}"
        return self.post("/users", username=name, password=PASSWORD, role="client")["id"]

    def new_message(self) -> int:
        path = f"/conversations/{self.conversation}/messages"
        return self.post(path, text="The heat pump is off.", key=fresh())["seq"]

    def new_group(self) -> str:
        return self.post("/conversations", kind="group", member_ids=[])["id"]

    def new_member(self) -> str:
        self.post(f"/conversations/{self.group}/members", user_id=self.users[0])
        return self.users[0]

    def new_device(self) -> str:
        """Its main metric is a counter, so that resets can be declared; the caller owns it, so that clients see it."""
        owner = self.caller["user"]["id"]
        metrics = [{"name": "energy", "kind": "counter"}]
        return self.post("/devices", name="Meter", owner_id=owner, metrics=metrics, max_hourly_kwh=1)["id"]

    def new_alert(self) -> str:
        hour = (NOW - datetime.timedelta(hours=5)).replace(minute=0, second=0)
        readings = [(hour, 10), (hour + datetime.timedelta(minutes=50), 20)]
        lines = "".join(f"{time.isoformat()},{value}\n" for time, value in readings)
        headers = bearer(self.keeper) | {"Content-Type": "text/csv"}
        path = f"{API}/devices/{self.devices[0]}/measurements"
        self.http.post(path, data="timestamp,value\n" + lines, headers=headers, timeout=10).raise_for_status()
        return self.get("/alerts", self.keeper).json()["items"][0]["id"]


def checked(answer) -> dict:
    assert answer.ok, answer.text
    return answer.json()


def bearer(session) -> dict:
    return {"Authorization": f"Bearer {session['access_token']}"}


def fresh() -> str:
    return uuid.uuid4().hex


world = World()


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case, context):
        return world.caller["access_token"]

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


accepted = itertools.cycle(["application/json", "text/csv", "application/x-ndjson", "image/png"])


# Ids, names and times that mean something here.
moments = st.integers(0, 300 * 86400).map(lambda seconds: NOW - datetime.timedelta(seconds=seconds))
stamps = moments.map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
readings = st.lists(st.tuples(stamps, st.floats(0, 1000)), max_size=5)


def table(rows) -> str:
    return "timestamp,value\r\n" + "".join(f"{time},{value}\r\n" for time, value in rows)


def objects(rows) -> str:
    return "".join(f'{{"timestamp":"{time}","value":{value}}}\n' for time, value in rows)


for name, strategy in {
    "user-id": st.sampled_from(world.users),
    "device-id": st.sampled_from(world.devices),
    "alert-id": st.just(world.alert),
    "conversation-id": st.just(CONVERSATION),
    "date-time": stamps,
    "past-date-time": stamps,
    "date": moments.map(lambda moment: moment.date().isoformat()),
    "iana-timezone": st.sampled_from(ZONES),
    "search-words": st.sampled_from(WORDS),
    "metric-name": st.just("energy"),
    "counter-name": st.just("energy"),
    "cursor": st.just(CURSOR),
    "current-password": st.just(PASSWORD),
    "entity-tag": st.sampled_from(["*", '"stale"']),
    "idempotency-key": st.uuids().map(str),
    "measurement-table": readings.map(table),
    "measurement-lines": readings.map(objects),
}.items():
    schemathesis.openapi.format(name, strategy)


@schemathesis.serializer("text/csv", "application/x-ndjson")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Valid values that do not go together are made to; what is wrong stays wrong."""
    path = case.operation.path
    spare(case, path)
    if case.meta and case.meta.generation.mode.is_positive:
        name_what_exists(case.query, path)
        name_what_exists(case.body, path)
    if case.method == "GET" and path.endswith("/measurements"):
        case.headers["Accept"] = next(accepted)
    if isinstance(case.query, dict):
        mend_query(case.query, path, case.path_parameters or {})
    if isinstance(case.body, dict):
        mend_body(case.body, path, case.path_parameters or {})
        if path.endswith("/messages") and case.body.get("key") is None:
            case.headers.setdefault("Idempotency-Key", fresh())
    for name in list(case.headers or {}):
        if name.lower() == "idempotency-key" and re.fullmatch(r"[!-~]{1,255}", str(case.headers[name])):
            case.headers[name] = fresh()


def spare(case, path):
    """The objects of the pool stay as they are: what would change or end one gets one of its own. Resets are declared on
    the pool's devices, which have a counter."""
    ids = case.path_parameters or {}
    caller = world.caller["user"]["id"]
    if world.makers.get(ids.get("id"), caller) != caller:  # of a caller that has ended since
        ids["id"] = CONVERSATION
    if ids.get("id") == CONVERSATION:
        # Only a group has a title, and members who come and go.
        of_a_group = "/members" in path or case.method == "PATCH" and path.endswith("/conversations/{id}")
        ids["id"] = world.group if of_a_group else world.conversation
    if ids.get("user_id") in world.users and ids["id"] == world.group:
        ids["user_id"] = world.new_member()
    if is_number(ids.get("seq"), 1) and ids.get("id") == world.conversation:
        ids["seq"] = world.new_message() if case.method == "DELETE" else 1
    if case.method == "POST" and path.endswith("/resets") and re.fullmatch(r"d\d+", str(ids.get("id"))):
        ids["id"] = world.devices[0]
    if case.method not in ("PATCH", "DELETE") or not path.endswith("/{id}"):
        return
    if ids.get("id") in [*world.users, caller]:
        ids["id"] = world.new_user()
    if ids.get("id") in world.devices:
        ids["id"] = world.new_device()


def name_what_exists(fields, path):
    """A schema's formats are hints to Schemathesis: some texts of theirs are any text. What is right in every other way
    shall not fail on a name that nobody has."""
    if not isinstance(fields, dict):
        return
    known = {"cursor": [CURSOR], "tz": ZONES, "timezone": ZONES, "owner_id": world.users, "current_password": [PASSWORD]}
    known |= {"user_id": world.users, "conversation_id": [CONVERSATION], "q": WORDS}
    if path.endswith(("/resets", "/consumption")) or "/devices/{id}" in path:
        known["metric"] = ["energy"]
    for name, values in known.items():
        if isinstance(fields.get(name), str) and fields[name] not in values:
            fields[name] = values[0]
    if isinstance(fields.get("member_ids"), list):
        fields["member_ids"] = [user if user in world.users else world.users[0] for user in fields["member_ids"]]
    for name in ("from", "to"):
        if name in fields and instant(fields[name]) is None:
            del fields[name]
    if path.endswith("/resets") and instant(fields.get("timestamp")) is None and "timestamp" in fields:
        fields["timestamp"] = NOW.isoformat()


def mend_query(query, path, ids):
    if query.get("conversation_id") == CONVERSATION:
        query["conversation_id"] = world.conversation
    if query.get("cursor") == CURSOR:
        place = {"/measurements": "0.5", "/conversations": "5.5", "/search": "5.5"}.get(path[path.rindex("/") :], "5")
        query["cursor"] = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    times = [query.get("from"), query.get("to")]
    if all(map(instant, times)):
        query["from"], query["to"] = sorted(times, key=instant)
        # A date begins when the zone says so: next to another time it may be before that or after it.
        with_date = any(len(time) == 10 for time in times)
        if instant(query["to"]) - instant(query["from"]) <= datetime.timedelta(days=with_date):
            del query["to"]
    if is_number(query.get("before_seq"), 1) and is_number(query.get("after_seq"), 0):
        del query["after_seq"]
    if query.get("metric") == "energy" and ids.get("id") not in world.devices:
        del query["metric"]


def instant(text):
    """For the order of times; None for what is none."""
    try:
        time = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def is_number(value, least) -> bool:
    return str(value).isascii() and str(value).isdigit() and least <= int(value) < 1 << 63


def is_seq(value) -> bool:
    return type(value) in (int, float) and 1 <= value < 1 << 63 and value % 1 == 0


def present(user):
    """Somebody who is there, for the id of somebody who may be gone by now or is only an example."""
    return world.users[0] if re.fullmatch(r"u\d+", str(user)) and user not in world.users else user


def mend_body(body, path, ids):
    members = body.get("member_ids")
    for name in {"owner_id", "user_id"} & body.keys():
        body[name] = present(body[name])
    if isinstance(members, list):
        members[:] = map(present, members)
        if body.get("kind") == "direct" and members and all(member in world.users for member in members):
            del members[1:]
    if path.endswith("/messages"):
        if isinstance(body.get("key"), str) and 1 <= len(body["key"]) <= 255 and "\0" not in body["key"]:
            body["key"] = fresh()
        if is_seq(body.get("reply_to")):
            body["reply_to"] = 1 if ids.get("id") == world.conversation else None
    if path.endswith("/read") and is_seq(body.get("seq")):
        body["seq"] = 1
        if re.fullmatch(r"c\d+", str(ids.get("id"))):  # others may be empty
            ids["id"] = world.conversation
    if isinstance(body.get("metrics"), list):
        seen = set()
        for number, metric in enumerate(body["metrics"]):
            if isinstance(metric, dict) and isinstance(metric.get("name"), str):
                if metric["name"] in seen and re.fullmatch("[a-z][a-z0-9_]{0,60}", metric["name"]):
                    metric["name"] += str(number)
                seen.add(metric["name"])


@schemathesis.hook
def after_call(context, case, response):
    """Logging out, disabling or changing the role or the password of the caller ends its token. It may leave its group."""
    path, is_done = case.operation.path, response.status_code < 300
    if case.method == "POST" and path.endswith(("/conversations", "/support")) and is_done:
        world.makers[response.json()["id"]] = world.caller["user"]["id"]
    if case.method == "DELETE" and path.endswith("/members/{user_id}") and is_done:
        world.group = world.new_group()
    ends = path.endswith("/logout") or "/users" in path and case.method == "PATCH"
    if response.status_code == 401 or ends and is_done:
        world.renew()
