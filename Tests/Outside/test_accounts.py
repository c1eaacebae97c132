"""Contract §2 and §3 rule 9: what ends a session, who may change whom, and how guessing is slowed down."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http.client import HTTPConnection

import pytest
from websockets.exceptions import InvalidStatus

from harness.api import (
    PASSWORD,
    Api,
    admin,
    create_user,
    direct,
    fresh_name,
    login,
    member_ids,
    pointers,
    problem_of,
)
from harness.client import Client, credentials
from harness.server import ADMIN_PASSWORD, wattloop

NEW_PASSWORD = "another horse battery"


class LogIn:
    """One session: its tokens, and a socket opened with them."""

    def __init__(self, server, name, password=PASSWORD):
        answer = Api(server).login(name, password)
        assert answer.status_code == 200, answer.text
        self.server = server
        self.body = answer.json()
        self.id = self.body["user"]["id"]
        self.token = self.body["access_token"]
        self.api = Api(server, self.token)

    async def connect(self) -> "LogIn":
        self.socket = await Client.open(self.server, self.token)
        return self

    def refresh(self):
        return Api(self.server).post("/auth/refresh", {"refresh_token": self.body["refresh_token"]})

    def check_access_is_dead(self):
        answer = self.api.get("/users/me")
        problem_of(answer, 401, "unauthorized")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer") and 'error="invalid_token"' in challenge

    async def check_dead(self, close_code=4500):
        self.check_access_is_dead()
        assert self.refresh().status_code == 401
        assert await self.socket.closed(timeout=2) == close_code
        with pytest.raises(InvalidStatus) as refused:
            await Client.connect(self.server, **credentials(self.token, "header"))
        assert refused.value.response.status_code == 401

    async def check_alive(self):
        assert self.api.get("/users/me").status_code == 200
        await self.socket.ok("ping")


async def two_sessions(user) -> tuple:
    server = user.api.server
    return tuple([await LogIn(server, user.username, user.password).connect() for _ in range(2)])


# Log-out


async def test_log_out_kills_the_session_at_once_and_no_other(alice):
    one, other = await two_sessions(alice)
    answer = one.api.post("/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    await one.check_dead()
    await other.check_alive()
    assert other.refresh().status_code == 200
    await other.socket.close()


async def test_log_out_holds_after_a_refresh_for_all_tokens_of_the_session(alice):
    (session, other) = await two_sessions(alice)
    renewed = session.refresh().json()
    assert Api(alice.api.server, renewed["access_token"]).post("/auth/logout").status_code == 204
    await session.check_dead()
    session.token = session.api.token = renewed["access_token"]
    session.check_access_is_dead()
    await other.check_alive()
    await other.socket.close()


def test_log_out_needs_a_token(anyone):
    problem_of(anyone.post("/auth/logout"), 401)


async def test_a_socket_that_was_refreshed_ends_with_the_session_of_its_new_token(alice):
    one, other = await two_sessions(alice)
    await one.socket.ok("refresh", token=other.token)
    one.api.post("/auth/logout")
    await one.socket.ok("ping")
    other.api.post("/auth/logout")
    assert await one.socket.closed(timeout=2) == 4500
    assert await other.socket.closed(timeout=2) == 4500


async def test_tokens_of_the_command_line_can_log_out(serve):
    running = serve()
    tokens = [wattloop("token", "admin", "--data", running.data).stdout.strip()]
    lines = wattloop("user", "add", "--load-test", 2, "--data", running.data).stdout.split()
    tokens += [line.split(",")[2] for line in lines]
    for token in tokens:
        socket = await Client.open(running, token)
        assert Api(running, token).post("/auth/logout").status_code == 204
        problem_of(Api(running, token).get("/users/me"), 401)
        assert await socket.closed(timeout=2) == 4500
    assert admin(running).api.get("/users/me").status_code == 200


def unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def foreign_token(server, subject, number) -> str:
    """As another program with the key would make it: it names neither a session nor a version."""
    now = int(time.time())
    claims = {
        "iss": "wattloop",
        "aud": "wattloop",
        "sub": subject,
        "iat": now,
        "exp": now + 600,
        "jti": str(number),
        "role": "client",
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "at+jwt"}, claims)]
    message = ".".join(map(unpadded, parts))
    key = urlsafe_b64decode((server.data / "jwt.key").read_text().strip() + "==")
    return message + "." + unpadded(hmac.digest(key, message.encode(), hashlib.sha256))


async def test_a_token_of_another_program_is_a_session_of_its_own(server, administrator, alice):
    one, other = (foreign_token(server, alice.id, number) for number in range(2))
    socket = await Client.open(server, one)
    assert Api(server, one).post("/auth/logout").status_code == 204
    problem_of(Api(server, one).get("/users/me"), 401)
    assert await socket.closed(timeout=2) == 4500
    assert Api(server, other).get("/users/me").status_code == 200
    administrator.api.request("PATCH", f"/users/{alice.id}", json={"password": NEW_PASSWORD})
    problem_of(Api(server, other).get("/users/me"), 401)


# Refresh


async def test_a_refresh_token_that_comes_twice_ends_access_tokens_and_sockets_too(alice):
    session, other = await two_sessions(alice)
    renewed = session.refresh()
    assert renewed.status_code == 200
    await session.check_alive()
    assert session.refresh().status_code == 401
    await session.check_dead()
    problem_of(Api(alice.api.server, renewed.json()["access_token"]).get("/users/me"), 401)
    await other.check_alive()
    await other.socket.close()


# Passwords


async def test_another_password_ends_all_sessions(server, alice):
    one, other = await two_sessions(alice)
    answer = one.api.request(
        "PATCH", "/users/me", json={"password": NEW_PASSWORD, "current_password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    assert "password" not in answer.text
    for session in (one, other):
        await session.check_dead()
    problem_of(Api(server).login(alice.username, PASSWORD), 401, "invalid-credentials")
    assert LogIn(server, alice.username, NEW_PASSWORD).api.get("/users/me").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": NEW_PASSWORD}, "current_password"),
        ({"password": NEW_PASSWORD, "current_password": "not her password"}, "current_password"),
        ({"password": NEW_PASSWORD, "current_password": None}, "current_password"),
        ({"password": "short", "current_password": PASSWORD}, "password"),
        ({"password": None, "current_password": PASSWORD}, "password"),
    ],
)
def test_a_password_is_changed_only_by_who_knows_it(server, alice, body, field):
    answer = alice.api.request("PATCH", "/users/me", json=body)
    assert pointers(problem_of(answer, 422, "validation")) == {field}
    assert alice.api.get("/users/me").status_code == 200
    assert LogIn(server, alice.username).id == alice.id


async def test_an_administrator_resets_a_password_without_the_old_one(server, administrator, alice):
    one, other = await two_sessions(alice)
    answer = administrator.api.request("PATCH", f"/users/{alice.id}", json={"password": NEW_PASSWORD})
    assert answer.status_code == 200
    for session in (one, other):
        await session.check_dead()
    assert LogIn(server, alice.username, NEW_PASSWORD).id == alice.id


def test_an_administrators_own_password_needs_the_old_one(person):
    boss = person("boss", role="admin")
    answer = boss.api.request("PATCH", f"/users/{boss.id}", json={"password": NEW_PASSWORD})
    assert pointers(problem_of(answer, 422)) == {"current_password"}


# Disabling, deletion, roles


async def test_a_disabled_user_is_out_and_old_tokens_do_not_come_back(server, administrator, alice):
    one, other = await two_sessions(alice)
    path = f"/users/{alice.id}"
    answer = administrator.api.request("PATCH", path, json={"disabled": True})
    assert answer.status_code == 200 and answer.json()["disabled"] is True
    for session in (one, other):
        await session.check_dead()
    problem_of(Api(server).login(alice.username, PASSWORD), 401, "invalid-credentials")
    assert administrator.api.request("PATCH", path, json={"disabled": False}).json()["disabled"] is False
    for session in (one, other):
        session.check_access_is_dead()
        assert session.refresh().status_code == 401
    assert LogIn(server, alice.username).api.get("/users/me").status_code == 200


async def test_a_deleted_user_is_out_and_messages_stay(server, administrator, alice, bob):
    conversation = direct(bob, alice)
    sent = alice.api.post(f"/conversations/{conversation}/messages", {"text": "Hello", "key": "1"})
    assert sent.status_code == 201
    one, other = await two_sessions(alice)
    answer = administrator.api.request("DELETE", f"/users/{alice.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for session in (one, other):
        await session.check_dead()
    problem_of(Api(server).login(alice.username, PASSWORD), 401, "invalid-credentials")
    for caller in (administrator, bob):
        problem_of(caller.api.get(f"/users/{alice.id}"), 404)
        assert caller.api.items("/users", params={"q": alice.username}) == []
    for method in ("PATCH", "DELETE"):
        problem_of(administrator.api.request(method, f"/users/{alice.id}", json={}), 404)
    seen = bob.api.get(f"/conversations/{conversation}").json()
    assert member_ids(seen) == {alice.id, bob.id}
    gone = next(member for member in seen["members"] if member["id"] == alice.id)
    assert gone["deleted"] is True and alice.username not in json.dumps(gone)
    assert all("deleted" not in member for member in seen["members"] if member["id"] == bob.id)
    page = bob.api.get(f"/conversations/{conversation}/messages").json()
    assert [(message["sender"], message["text"]) for message in page["items"]] == [(alice.id, "Hello")]


def test_the_devices_of_a_deleted_user_stay_without_an_owner(administrator, alice):
    made = administrator.api.post("/devices", {"name": "Boiler", "owner_id": alice.id})
    assert made.status_code == 201, made.text
    path = f"/devices/{made.json()['id']}"
    # Read before, so that a copy in memory would show.
    assert alice.api.get(path).json()["owner_id"] == alice.id
    administrator.api.request("DELETE", f"/users/{alice.id}")
    answer = administrator.api.get(path)
    assert answer.status_code == 200 and answer.json()["owner_id"] is None


def test_the_name_of_a_deleted_user_is_free_for_somebody_else(server, administrator, alice):
    administrator.api.request("DELETE", f"/users/{alice.id}")
    body = {"username": alice.username, "password": PASSWORD, "role": "client"}
    second = administrator.api.post("/users", body)
    assert second.status_code == 201
    assert second.json()["id"] != alice.id
    assert LogIn(server, alice.username).id == second.json()["id"]
    problem_of(alice.api.get("/users/me"), 401)


async def test_another_role_needs_another_token_of_the_same_session(server, administrator, alice):
    session, other = await two_sessions(alice)
    answer = administrator.api.request("PATCH", f"/users/{alice.id}", json={"role": "admin"})
    assert answer.status_code == 200 and answer.json()["role"] == "admin"
    session.check_access_is_dead()
    assert await session.socket.closed(timeout=2) == 4001
    assert await other.socket.closed(timeout=2) == 4001
    renewed = session.refresh()
    assert renewed.status_code == 200 and renewed.json()["user"]["role"] == "admin"
    promoted = Api(server, renewed.json()["access_token"])
    assert promoted.request("PATCH", f"/users/{alice.id}", json={"role": "client"}).status_code == 200
    problem_of(promoted.get("/users/me"), 401)


async def test_what_is_dead_stays_dead_after_a_restart(serve):
    running = serve()
    boss = admin(running)
    users = [create_user(boss, stem) for stem in ("out", "reset", "off", "gone", "twice", "stays")]
    sessions = [LogIn(running, user.username) for user in users]
    out, reset, off, gone, twice, stays = sessions
    out.api.post("/auth/logout")
    boss.api.request("PATCH", f"/users/{reset.id}", json={"password": NEW_PASSWORD})
    boss.api.request("PATCH", f"/users/{off.id}", json={"disabled": True})
    boss.api.request("DELETE", f"/users/{gone.id}")
    twice.refresh()
    twice.refresh()
    foreign = foreign_token(running, stays.id, 1)
    assert Api(running, foreign).post("/auth/logout").status_code == 204
    running.kill()
    running.start()
    for dead in (out, reset, off, gone, twice):
        dead.check_access_is_dead()
        assert dead.refresh().status_code == 401
    problem_of(Api(running, foreign).get("/users/me"), 401)
    assert stays.api.get("/users/me").status_code == 200
    assert stays.refresh().status_code == 200


def test_the_last_active_administrator_stays(serve):
    running = serve()
    boss = admin(running)
    other = create_user(boss, "other", role="admin")
    boss.api.request("PATCH", f"/users/{other.id}", json={"disabled": True})

    def attempts(path):
        yield boss.api.request("PATCH", path, json={"role": "client"})
        yield boss.api.request("PATCH", path, json={"disabled": True})
        yield boss.api.request("DELETE", path)

    for answer in attempts(f"/users/{boss.id}"):
        assert "last active administrator" in problem_of(answer, 409, "conflict")["detail"]
    problem_of(boss.api.request("PATCH", "/users/me", json={"role": "client"}), 409)
    assert boss.api.get("/users/me").json()["role"] == "admin"
    boss.api.request("PATCH", f"/users/{other.id}", json={"disabled": False})
    assert boss.api.request("DELETE", f"/users/{boss.id}").status_code == 204
    problem_of(boss.api.get("/users"), 401)


# Who may set what


def test_a_user_changes_name_and_address_and_nothing_else_moves(alice):
    before = alice.api.get("/users/me").json()
    answer = alice.api.request(
        "PATCH", "/users/me", json={"display_name": " Alice Ä. ", "email": "a@example.org", "shoe_size": 38}
    )
    assert answer.status_code == 200
    assert answer.json() == before | {"display_name": "Alice Ä.", "email": "a@example.org"}
    assert answer.headers["ETag"] == alice.api.get("/users/me").headers["ETag"]
    same = alice.api.request("PATCH", f"/users/{alice.id}", json={"email": None})
    assert same.json() == before | {"display_name": "Alice Ä."}


@pytest.mark.parametrize("type", ["application/json", "application/merge-patch+json; charset=utf-8"])
def test_a_patch_has_either_media_type(alice, type):
    headers = {"Content-Type": type}
    answer = alice.api.request("PATCH", "/users/me", data='{"display_name": "A"}', headers=headers)
    assert answer.status_code == 200 and answer.json()["display_name"] == "A"
    other = {"Content-Type": "text/plain"}
    problem_of(alice.api.request("PATCH", "/users/me", data="{}", headers=other), 415)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", None),
        ("display_name", "  "),
        ("display_name", 7),
        ("email", "nowhere"),
        ("email", False),
        ("role", None),
        ("role", "king"),
        ("disabled", None),
        ("disabled", "yes"),
        ("password", None),
        ("password", "7 chars"),
    ],
)
def test_a_bad_field_of_a_patch_is_pointed_at(administrator, alice, field, value):
    answer = administrator.api.request("PATCH", f"/users/{alice.id}", json={field: value})
    assert pointers(problem_of(answer, 422, "validation")) == {field}


@pytest.mark.parametrize("field", ["role", "disabled", "id", "username", "created_at"])
def test_a_client_may_not_set_what_is_not_theirs(alice, field):
    before = alice.api.get("/users/me").json()
    answer = alice.api.request("PATCH", "/users/me", json={"display_name": "X", field: before[field]})
    assert pointers(problem_of(answer, 403, "forbidden")) == {field}
    assert alice.api.get("/users/me").json() == before


@pytest.mark.parametrize("field", ["id", "created_at"])
def test_an_administrator_may_not_set_what_the_server_gives(administrator, alice, field):
    answer = administrator.api.request("PATCH", f"/users/{alice.id}", json={field: "x"})
    assert pointers(problem_of(answer, 403)) == {field}
    body = {"username": fresh_name(), "password": PASSWORD, "role": "client", field: "x"}
    assert pointers(problem_of(administrator.api.post("/users", body), 403)) == {field}


def test_a_client_changes_and_deletes_nobody_else(alice, bob):
    problem_of(alice.api.request("PATCH", f"/users/{bob.id}", json={"display_name": "X"}), 403)
    problem_of(alice.api.request("PATCH", "/users/u999999", json={"display_name": "X"}), 404)
    for user in (alice, bob):
        problem_of(alice.api.request("DELETE", f"/users/{user.id}"), 403)


def test_the_servers_own_user_is_not_changed(administrator):
    for method in ("PATCH", "DELETE"):
        problem_of(administrator.api.request(method, "/users/u0", json={"disabled": False}), 403)


def test_a_user_may_be_made_disabled(server, administrator):
    name = fresh_name()
    body = {"username": name, "password": PASSWORD, "role": "client", "disabled": True}
    assert administrator.api.post("/users", body).json()["disabled"] is True
    problem_of(Api(server).login(name, PASSWORD), 401)


@pytest.mark.parametrize("end", ["logout", "password", "role", "disabled", "deleted"])
def test_a_token_that_ends_while_a_body_is_on_its_way_does_nothing(server, administrator, person, end):
    boss = person("boss", role="admin")
    device = administrator.api.post("/devices", {"name": "Meter"}).json()["id"]
    group = boss.api.post(
        "/conversations", {"kind": "group", "title": "g", "member_ids": [administrator.id]}).json()["id"]
    name = fresh_name()
    reading = {"timestamp": "2026-01-01T00:00:00Z", "value": 1}
    requests = [
        ("POST", "/users", {"username": name, "password": PASSWORD, "role": "admin"}),
        ("PATCH", "/users/me", {"display_name": "Evil"}),
        ("POST", "/devices", {"name": "Evil"}),
        ("PATCH", f"/devices/{device}", {"name": "Evil"}),
        ("POST", f"/devices/{device}/keys", {}),
        ("POST", f"/devices/{device}/measurements", reading),
        ("POST", "/measurements", reading | {"device_id": device}),
        ("POST", f"/conversations/{group}/messages", {"text": "Evil", "key": fresh_name()}),
    ]
    waiting = []
    for method, path, body in requests:
        body = json.dumps(body).encode()
        connection = HTTPConnection(server.host, server.port, timeout=10)
        connection.putrequest(method, "/api/v1" + path)
        connection.putheader("Authorization", f"Bearer {boss.token}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:1])
        waiting.append((path, connection, body[1:]))
    time.sleep(0.2)
    user = f"/users/{boss.id}"
    answer = {
        "logout": lambda: boss.api.post("/auth/logout"),
        "password": lambda: administrator.api.request("PATCH", user, json={"password": PASSWORD + "!"}),
        "role": lambda: administrator.api.request("PATCH", user, json={"role": "client"}),
        "disabled": lambda: administrator.api.request("PATCH", user, json={"disabled": True}),
        "deleted": lambda: administrator.api.request("DELETE", user),
    }[end]()
    assert answer.status_code in (200, 204), answer.text
    for path, connection, rest in waiting:
        connection.send(rest)
        assert connection.getresponse().status == 401, path
        connection.close()
    assert administrator.api.items("/users", params={"q": name}) == []
    assert administrator.api.items(f"/devices/{device}/measurements") == []
    assert administrator.api.items(f"/devices/{device}/keys") == []
    assert administrator.api.get(f"/devices/{device}").json()["name"] == "Meter"
    assert administrator.api.items(f"/conversations/{group}/messages") == []


def test_rights_that_end_while_a_body_is_on_its_way_are_gone(server, administrator, person):
    boss = person("boss", role="admin")
    name = fresh_name()
    body = json.dumps({"username": name, "password": PASSWORD, "role": "admin"}).encode()
    connection = HTTPConnection(server.host, server.port, timeout=10)
    connection.putrequest("POST", "/api/v1/users")
    connection.putheader("Authorization", f"Bearer {boss.token}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    time.sleep(0.2)
    assert administrator.api.request("DELETE", f"/users/{boss.id}").status_code == 204
    connection.send(body[10:])
    answer = connection.getresponse()
    assert answer.status == 401
    connection.close()
    assert administrator.api.items("/users", params={"q": name}) == []


# Conditions and retries


def test_a_stale_condition_changes_nothing(administrator, alice):
    path = f"/users/{alice.id}"
    tag = alice.api.get("/users/me").headers["ETag"]
    fresh = alice.api.request("PATCH", "/users/me", json={"display_name": "A"}, headers={"If-Match": tag})
    assert fresh.status_code == 200
    for caller, method, body in [
        (alice, "PATCH", {"display_name": "B"}),
        (administrator, "PATCH", {"disabled": True}),
        (administrator, "DELETE", None),
    ]:
        answer = caller.api.request(method, path, json=body, headers={"If-Match": tag})
        problem_of(answer, 412, "precondition-failed")
    assert alice.api.get("/users/me").json() == fresh.json()
    matching = {"If-Match": fresh.headers["ETag"]}
    assert administrator.api.request("DELETE", path, headers=matching).status_code == 204


def test_a_user_is_made_once_for_a_key(administrator):
    body = {"username": fresh_name(), "password": PASSWORD, "role": "client"}
    key = {"Idempotency-Key": fresh_name("key")}
    first = administrator.api.post("/users", body, headers=key)
    again = administrator.api.post("/users", body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    for name in ("Location", "ETag"):
        assert first.headers[name] == again.headers[name]
    assert first.headers["ETag"] == administrator.api.get(f"/users/{first.json()['id']}").headers["ETag"]
    other = administrator.api.post("/users", body | {"username": fresh_name()}, headers=key)
    problem_of(other, 422, "idempotency-conflict")
    assert PASSWORD not in first.text + again.text + other.text


def test_a_refused_request_does_not_use_its_key_up(administrator, alice):
    key = {"Idempotency-Key": fresh_name("key")}
    body = {"username": alice.username, "password": PASSWORD, "role": "client"}
    problem_of(administrator.api.post("/users", body, headers=key), 409)
    body["username"] = fresh_name()
    assert administrator.api.post("/users", body, headers=key).status_code == 201


# Guessing


def test_guessing_is_slowed_down_for_any_name_alike(serve):
    running = serve()
    boss = admin(running)
    alice = create_user(boss, "alice")
    answers = {}
    for name in (alice.username, "nobody-of-that-name"):
        refused = [Api(running).login(name, f"guess number {number}") for number in range(12)]
        answers[name] = [answer.status_code for answer in refused]
        last = refused[-1]
        problem_of(last, 429, "rate-limited")
        assert 1 <= int(last.headers["Retry-After"]) <= 30
    known, unknown = answers.values()
    assert known == unknown == [401] * 10 + [429] * 2
    # The right password too, in whatever case the name is; and nobody else.
    problem_of(Api(running).login(alice.username.upper(), PASSWORD), 429)
    assert LogIn(running, "admin", ADMIN_PASSWORD).id == boss.id


def test_guessing_is_slowed_down_for_an_address_whatever_the_names(serve):
    running = serve()
    boss = admin(running)
    codes = [Api(running).login(f"nobody-{number}", "a wrong guess").status_code for number in range(40)]
    codes += [
        Api(running).post("/auth/refresh", {"refresh_token": f"guess {number}"}).status_code
        for number in range(40)
    ]
    assert codes[:50] == [401] * 50 and codes[-1] == 429 and 429 in codes[50:55]
    answer = Api(running).login("admin", ADMIN_PASSWORD)
    problem_of(answer, 429, "rate-limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    assert boss.api.get("/users/me").status_code == 200, "who is logged in is not concerned"
    deadline = time.monotonic() + 10
    while Api(running).login("admin", ADMIN_PASSWORD).status_code == 429:
        assert time.monotonic() < deadline, "an attempt comes back every 2 s"
        time.sleep(0.1)


def test_the_current_password_cannot_be_guessed_either(serve):
    running = serve()
    alice = create_user(admin(running), "alice")
    body = {"password": NEW_PASSWORD, "current_password": "a wrong guess"}
    codes = [alice.api.request("PATCH", "/users/me", json=body).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    problem_of(Api(running).login(alice.username, PASSWORD), 429)


def test_log_ins_that_succeed_are_not_limited(serve):
    running = serve()
    alice = create_user(admin(running), "alice")
    for _ in range(25):
        login(running, alice.username, PASSWORD)


# Secrets


def test_a_password_or_token_in_the_query_is_not_taken(server, alice):
    pair = {"username": alice.username, "password": PASSWORD}
    assert Api(server).request("POST", "/auth/login", params=pair).status_code in (400, 415, 422)
    assert Api(server).request("POST", "/auth/login", params=pair, json={}).status_code == 422
    for name in ("access_token", "token"):
        problem_of(Api(server).get("/users/me", params={name: alice.token}), 401)


def test_no_password_or_token_is_logged(serve):
    running = serve("--log-level", "trace")
    boss = admin(running)
    alice = create_user(boss, "alice")
    session = LogIn(running, alice.username)
    Api(running).login(alice.username, "a wrong password")
    session.api.request("PATCH", "/users/me", json={"password": NEW_PASSWORD, "current_password": PASSWORD})
    boss.api.request("PATCH", f"/users/{alice.id}", json={"password": PASSWORD})
    renewed = LogIn(running, alice.username)
    running.stop()
    secrets = [ADMIN_PASSWORD, PASSWORD, NEW_PASSWORD, "a wrong password", session.token, boss.token]
    secrets += [renewed.body["refresh_token"], renewed.token.split(".")[2]]
    log = running.stderr
    assert log and not [secret for secret in secrets if secret in log]
