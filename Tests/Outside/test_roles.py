"""Who may do what: every operation, asked by each kind of caller."""

import json

import pytest

from harness.api import Api, create_user, direct, group, post_message, problem_of
from harness.energy import at, create_device, interval, send

NOON = at("2026-02-03T12:00")
USER = {"username": "", "password": "long enough", "role": "client"}
ANY, DONE, NO, GONE, YES = (200, 201), 204, 403, 404, (200, 409)

# Method, path, body; then the statuses for an administrator, the owner, another client, and a device's key.
MATRIX = [
    ("GET", "/users", None, 200, 200, 200, NO),
    ("POST", "/users", {}, 422, NO, NO, NO),
    ("GET", "/users/me", None, 200, 200, 200, NO),
    ("PATCH", "/users/me", {"display_name": "X"}, 200, 200, 200, NO),
    ("PATCH", "/users/me", {"role": "admin"}, YES, NO, NO, NO),
    ("GET", "/users/{owner}", None, 200, 200, 200, NO),
    ("PATCH", "/users/{owner}", {"email": "a@b.example"}, 200, (200, NO), NO, NO),
    ("PATCH", "/users/{owner}", {"disabled": False}, 200, NO, NO, NO),
    ("DELETE", "/users/u999999", None, GONE, NO, NO, NO),
    ("GET", "/users/{owner}/consumption", None, 200, 200, GONE, NO),
    ("GET", "/users/me/consumption", None, 200, 200, 200, NO),
    ("GET", "/devices", None, 200, 200, 200, NO),
    ("POST", "/devices", {}, 422, NO, NO, NO),
    ("GET", "/devices/{device}", None, 200, 200, GONE, NO),
    ("PATCH", "/devices/{device}", {"address": "here"}, 200, NO, NO, NO),
    ("DELETE", "/devices/d999999", None, GONE, NO, NO, NO),
    ("GET", "/devices/{device}/keys", None, 200, NO, NO, NO),
    ("POST", "/devices/{device}/keys", {}, 201, NO, NO, NO),
    ("DELETE", "/devices/{device}/keys/k999999", None, GONE, NO, NO, NO),
    ("GET", "/devices/{device}/measurements", None, 200, 200, GONE, NO),
    ("POST", "/devices/{device}/measurements", [], 200, NO, NO, 200),
    ("POST", "/devices/{other}/measurements", [], 200, NO, NO, GONE),
    ("POST", "/measurements", [], 200, NO, NO, 200),
    ("GET", "/devices/{device}/consumption", None, 200, 200, GONE, NO),
    ("GET", "/devices/{device}/resets", None, 200, 200, GONE, NO),
    ("POST", "/devices/{device}/resets", {}, 422, NO, NO, NO),
    ("DELETE", "/devices/{device}/resets/r999999", None, GONE, NO, NO, NO),
    ("GET", "/alerts", None, 200, 200, 200, NO),
    ("POST", "/alerts/{alert}/acknowledge", None, 200, 200, GONE, NO),
    ("POST", "/support", None, ANY, ANY, ANY, NO),
    ("GET", "/conversations", None, 200, 200, 200, NO),
    ("POST", "/conversations", {}, 422, 422, 422, NO),
    ("GET", "/conversations/{talk}", None, 200, 200, GONE, NO),
    ("GET", "/conversations/{talk}/messages", None, 200, 200, GONE, NO),
    ("POST", "/conversations/{talk}/messages", {"text": "x", "key": "matrix"}, ANY, ANY, GONE, NO),
    ("PATCH", "/conversations/{talk}/messages/1", {"text": "y"}, NO, 200, GONE, NO),
    ("DELETE", "/conversations/{talk}/messages/2", None, DONE, NO, GONE, NO),
    ("DELETE", "/conversations/{talk}/messages/3", None, DONE, DONE, GONE, NO),
    ("PUT", "/conversations/{talk}/read", {"seq": 1}, 200, 200, GONE, NO),
    ("PATCH", "/conversations/{talk}", {"title": "T"}, NO, NO, GONE, NO),
    ("POST", "/conversations/{talk}/members", {"user_id": "{stranger}"}, NO, NO, GONE, NO),
    ("DELETE", "/conversations/{talk}/members/{owner}", None, NO, NO, GONE, NO),
    ("PATCH", "/conversations/{group}", {"title": "T"}, 200, 200, GONE, NO),
    ("POST", "/conversations/{group}/members", {"user_id": "{owner}"}, 200, 200, GONE, NO),
    ("DELETE", "/conversations/{group}/members/{guest}", None, DONE, NO, GONE, NO),
    ("GET", "/search?q=word", None, 200, 200, 200, NO),
    ("GET", "/search?q=word&conversation_id={talk}", None, 200, 200, GONE, NO),
]
CALLERS = ["administrator", "owner", "stranger", "meter"]


@pytest.fixture(scope="module")
def world(server, administrator):
    """An owner with a device, an alert, a conversation of three messages, and a place in another's group; a stranger; the
    device's key."""
    owner, stranger = create_user(administrator, "owner"), create_user(administrator, "stranger")
    device = create_device(administrator, owner, max_hourly_kwh=1)
    send(administrator, device, [interval(NOON, NOON.replace(hour=13), 2)])
    [alert] = [one["id"] for one in owner.api.items("/alerts") if one["device_id"] == device]
    key = administrator.api.post(f"/devices/{device}/keys", {}).json()["token"]
    talk = direct(administrator, owner)
    for sender in (owner, administrator, owner):
        post_message(sender, talk, "word")
    founder, guest = create_user(administrator, "founder"), create_user(administrator, "guest")
    club = group(founder, administrator, owner)

    def invited():
        assert founder.api.post(f"/conversations/{club}/members", {"user_id": guest.id}).status_code == 200
        return guest.id

    return {
        "administrator": administrator.api, "owner": owner.api, "stranger": stranger.api, "meter": Api(server, key),
        "names": {"{owner}": owner.id, "{device}": device, "{other}": create_device(administrator, owner),
                  "{alert}": alert, "{talk}": talk, "{group}": club, "{guest}": invited, "{stranger}": stranger.id},
    }


def ask(world, caller: Api, method, path, body):
    asked = json.dumps([path, body])
    for name, value in world["names"].items():
        if name in asked:
            asked = asked.replace(name, value() if callable(value) else value)
    path, body = json.loads(asked)
    return caller.request(method, path, **({} if body is None else {"json": body}))


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row[0]} {row[1]} {sorted(row[2] or {})}")
def test_every_operation_for_every_caller(world, row, caller):
    method, path, body, *statuses = row
    expected = statuses[CALLERS.index(caller)]
    answer = ask(world, world[caller], method, path, body)
    assert answer.status_code in ((expected,) if isinstance(expected, int) else expected), answer.text
    if answer.status_code >= 400:
        problem_of(answer, answer.status_code)


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row[0]} {row[1]} {sorted(row[2] or {})}")
@pytest.mark.parametrize("token", [None, "", "abc", "wlk_" + "A" * 43], ids=["none", "empty", "junk", "unknown-key"])
def test_without_a_valid_token_there_is_nothing(world, server, row, token):
    method, path, body, *_ = row
    if token is not None and token.startswith("wlk_") and (method, path.endswith("measurements")) != ("POST", True):
        return  # a device's key is told that it may not, whatever key it is
    answer = ask(world, Api(server, token), method, path, body)
    problem_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
