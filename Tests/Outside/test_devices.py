"""Contract §2, `/devices` and `/devices/{id}/keys`: who sees, makes, changes and deletes them."""

import re
import threading
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from harness.api import (
    CONFLICT,
    INVALID,
    TIME,
    Api,
    admin,
    fresh_key,
    pointers,
    problem_of,
)
from harness.names import name

DEVICE = {"id", "name", "address", "owner_id", "timezone", "metrics", "max_hourly_kwh", "created_at"}
ENERGY = {"name": "energy", "kind": "interval", "unit": "kWh"}
TOKEN = re.compile(r"wlk_[A-Za-z0-9_-]{43}")


def create(administrator, **fields) -> dict:
    answer = administrator.api.post("/devices", {"name": "Meter"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def create_key(administrator, device, **options) -> str:
    answer = administrator.api.post(f"/devices/{device}/keys", {}, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def patch(user, device, body, **headers):
    return user.api.request("PATCH", f"/devices/{device}", json=body, headers=headers)


def delete(user, device, **headers):
    return user.api.request("DELETE", f"/devices/{device}", headers=headers)


# Making


def test_a_device_has_defaults(administrator):
    answer = administrator.api.post("/devices", {"name": "  Cellar Ä 😀 ", "colour": "red"})
    assert answer.status_code == 201
    device = answer.json()
    assert set(device) == DEVICE
    assert (device["name"], device["timezone"], device["metrics"]) == ("Cellar Ä 😀", "UTC", [ENERGY])
    assert device["address"] is device["owner_id"] is device["max_hourly_kwh"] is None
    assert TIME.fullmatch(device["created_at"])
    assert answer.headers["Location"].endswith(f"/api/v1/devices/{device['id']}")
    shown = administrator.api.get(f"/devices/{device['id']}")
    assert (shown.json(), shown.headers["ETag"]) == (device, answer.headers["ETag"])


def test_a_device_is_as_it_was_asked_for(administrator, alice):
    fields = {
        "name": "x" * 100,
        "address": "y" * 500,
        "owner_id": alice.id,
        "timezone": "Australia/Lord_Howe",
        "metrics": [
            {"name": "grid", "kind": "counter", "unit": "Wh"},
            {"name": "load_1", "kind": "power", "unit": "W"},
        ],
        "max_hourly_kwh": 12.5,
    }
    device = create(administrator, **fields)
    assert {name: device[name] for name in fields} == fields
    assert alice.api.get(f"/devices/{device['id']}").json() == device


@pytest.mark.parametrize(
    ("kind", "unit"), [("counter", "kWh"), ("interval", "kWh"), ("power", "W")], ids=lambda it: it
)
def test_a_metric_has_the_unit_of_its_kind_if_none_is_named(administrator, kind, unit):
    metric = {"name": "m", "kind": kind}
    assert create(administrator, metrics=[metric])["metrics"] == [metric | {"unit": unit}]


METRIC = {"name": "m", "kind": "counter"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"name"}),
        ({"name": None}, {"name"}),
        ({"name": "  "}, {"name"}),
        ({"name": "x" * 101}, {"name"}),
        ({"name": "a\u0000b"}, {"name"}),
        ({"name": ["a"]}, {"name"}),
        ({"name": "a", "address": "x" * 501}, {"address"}),
        ({"name": "a", "address": 1}, {"address"}),
        ({"name": "a", "owner_id": "u999999"}, {"owner_id"}),
        ({"name": "a", "owner_id": "u0"}, {"owner_id"}),
        ({"name": "a", "owner_id": "nobody"}, {"owner_id"}),
        ({"name": "a", "owner_id": 1}, {"owner_id"}),
        ({"name": "a", "timezone": "Mars/Olympus"}, {"timezone"}),
        ({"name": "a", "timezone": "europe/berlin"}, {"timezone"}),
        ({"name": "a", "timezone": "GMT+2"}, {"timezone"}),
        ({"name": "a", "timezone": "../../etc/passwd"}, {"timezone"}),
        ({"name": "a", "timezone": ""}, {"timezone"}),
        ({"name": "a", "max_hourly_kwh": 0}, {"max_hourly_kwh"}),
        ({"name": "a", "max_hourly_kwh": -1}, {"max_hourly_kwh"}),
        ({"name": "a", "max_hourly_kwh": 1000001}, {"max_hourly_kwh"}),
        ({"name": "a", "max_hourly_kwh": "5"}, {"max_hourly_kwh"}),
        ({"name": "a", "max_hourly_kwh": True}, {"max_hourly_kwh"}),
        ({"name": "a", "metrics": []}, {"metrics"}),
        ({"name": "a", "metrics": "energy"}, {"metrics"}),
        ({"name": "a", "metrics": [METRIC | {"name": f"m{i}"} for i in range(17)]}, {"metrics"}),
        ({"name": "a", "metrics": ["energy"]}, {"metrics/0"}),
        ({"name": "a", "metrics": [METRIC, METRIC]}, {"metrics/1/name"}),
        ({"name": "a", "metrics": [METRIC | {"name": "Energy"}]}, {"metrics/0/name"}),
        ({"name": "a", "metrics": [METRIC | {"name": "1m"}]}, {"metrics/0/name"}),
        ({"name": "a", "metrics": [METRIC | {"name": "m" * 65}]}, {"metrics/0/name"}),
        ({"name": "a", "metrics": [METRIC | {"kind": "gas"}]}, {"metrics/0/kind"}),
        ({"name": "a", "metrics": [METRIC | {"unit": "W"}]}, {"metrics/0/unit"}),
        ({"name": "a", "metrics": [{"name": "m", "kind": "power", "unit": "kWh"}]}, {"metrics/0/unit"}),
        ({"name": "a", "metrics": [{}, METRIC]}, {"metrics/0/name", "metrics/0/kind"}),
        (
            {"name": "", "owner_id": "u999999", "timezone": 1, "metrics": [METRIC | {"unit": "J"}]},
            {"name", "owner_id", "timezone", "metrics/0/unit"},
        ),
    ],
    ids=name,
)
def test_everything_wrong_is_pointed_at_in_one_answer(administrator, body, wrong):
    assert pointers(problem_of(administrator.api.post("/devices", body), INVALID, "validation")) == wrong


def test_a_number_beyond_all_numbers_is_pointed_at(administrator):
    answer = administrator.api.request(
        "POST",
        "/devices",
        data='{"name": "a", "max_hourly_kwh": 1e999}',
        headers={"Content-Type": "application/json"},
    )
    assert pointers(problem_of(answer, INVALID, "validation")) == {"max_hourly_kwh"}


@pytest.mark.parametrize("field", ["id", "created_at"])
def test_what_the_server_sets_is_403(administrator, field):
    device = create(administrator)["id"]
    answer = administrator.api.post("/devices", {"name": "a", field: "x"})
    assert pointers(problem_of(answer, 403)) == {field}
    assert pointers(problem_of(patch(administrator, device, {field: "x"}), 403)) == {field}


def test_a_repeated_request_makes_one_device(administrator):
    key = {"Idempotency-Key": fresh_key()}
    body = {"name": "Once"}
    first = administrator.api.post("/devices", body, headers=key)
    again = administrator.api.post("/devices", body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["Location"] == again.headers["Location"]
    other = administrator.api.post("/devices", {"name": "Twice"}, headers=key)
    problem_of(other, 422, "idempotency-conflict")


# Seeing


def test_a_client_sees_its_own_alone(administrator, alice, bob):
    mine = create(administrator, owner_id=alice.id)
    others = [create(administrator, owner_id=bob.id), create(administrator)]
    assert [device["id"] for device in alice.api.items("/devices")] == [mine["id"]]
    assert alice.api.items("/devices", params={"owner_id": bob.id}) == []
    assert alice.api.get(f"/devices/{mine['id']}").json() == mine
    for device in others:
        hidden = alice.api.get(f"/devices/{device['id']}")
        nothing = alice.api.get("/devices/d999999")
        problem_of(hidden, 404, "not-found")
        assert hidden.json() == nothing.json()
        assert administrator.api.get(f"/devices/{device['id']}").json() == device


@pytest.mark.parametrize("device", ["d0", "d01", "d-1", "u1", "1", "d9223372036854775808", "d1%00", "D1"])
def test_what_is_no_id_is_not_found(administrator, device):
    problem_of(administrator.api.get(f"/devices/{device}"), 404, "not-found")


def test_a_device_is_hidden_from_the_moment_it_is_somebody_elses(administrator, alice, bob):
    device = create(administrator, owner_id=alice.id)["id"]
    assert alice.api.get(f"/devices/{device}").status_code == 200
    assert patch(administrator, device, {"owner_id": bob.id}).status_code == 200
    problem_of(alice.api.get(f"/devices/{device}"), 404)
    assert bob.api.get(f"/devices/{device}").status_code == 200


def test_a_client_changes_nothing(administrator, alice):
    device = create(administrator, owner_id=alice.id)["id"]
    for answer in [
        alice.api.post("/devices", {"name": "Mine"}),
        patch(alice, device, {"name": "Mine"}),
        delete(alice, device),
        alice.api.post(f"/devices/{device}/keys", {}),
        alice.api.get(f"/devices/{device}/keys"),
    ]:
        problem_of(answer, 403)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_devices_are_401(anyone, method):
    problem_of(anyone.request(method, "/devices"), 401)


def test_one_device_has_a_tag(administrator):
    device = create(administrator)["id"]
    tag = administrator.api.get(f"/devices/{device}").headers["ETag"]
    for condition in [tag, f'"x", W/{tag}', "*"]:
        same = administrator.api.get(f"/devices/{device}", headers={"If-None-Match": condition})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    other = administrator.api.get(f"/devices/{device}", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200
    head = administrator.api.request("HEAD", f"/devices/{device}")
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)
    assert head.headers["Content-Length"] == other.headers["Content-Length"]


# Lists


def test_lists_are_walked_by_their_links(administrator, alice):
    made = [create(administrator, owner_id=alice.id)["id"] for _ in range(5)]
    for api, query in [(administrator.api, {"owner_id": alice.id}), (alice.api, {})]:
        answer = api.get("/devices", params={"limit": 2} | query)
        found, pages = [], 0
        while True:
            page = answer.json()
            found += [device["id"] for device in page["items"]]
            pages += 1
            link = answer.headers.get("Link")
            assert (link is None) == (page["next_cursor"] is None)
            if link is None:
                break
            address = re.fullmatch(r'<([^>]+)>; rel="next"', link)[1]
            answer = api.get(administrator.api.server.url + address)
            assert answer.status_code == 200, answer.text
        assert (found, pages) == (made, 3)
    everything = [device["id"] for device in administrator.api.items("/devices", params={"limit": 500})]
    assert set(made) <= set(everything)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": "rubbish"}, {"owner_id": "x"}], ids=str)
def test_a_bad_query_is_refused(administrator, query):
    problem_of(administrator.api.get("/devices", params=query), INVALID)


# Changing


def test_a_patch_is_a_merge_patch(administrator, alice):
    device = create(administrator, address="x", owner_id=alice.id, max_hourly_kwh=5)
    answer = patch(administrator, device["id"], {"name": "New", "address": None, "unknown": 1})
    assert answer.status_code == 200
    assert answer.json() == device | {"name": "New", "address": None}
    shown = alice.api.get(f"/devices/{device['id']}")
    assert (shown.json(), shown.headers["ETag"]) == (answer.json(), answer.headers["ETag"])
    wrong = patch(administrator, device["id"], {"name": None, "timezone": None, "metrics": None})
    assert pointers(problem_of(wrong, INVALID, "validation")) == {"name", "timezone", "metrics"}


def test_a_patch_may_say_that_it_is_one(administrator):
    device = create(administrator)["id"]
    answer = administrator.api.request(
        "PATCH",
        f"/devices/{device}",
        data='{"name": "New"}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.json()["name"] == "New"


def test_metrics_are_replaced_as_a_list(administrator):
    device = create(administrator)["id"]
    power = {"name": "power", "kind": "power", "unit": "W"}
    for metrics in ([power, ENERGY], [ENERGY, power], [power]):
        assert patch(administrator, device, {"metrics": metrics}).json()["metrics"] == metrics


def test_a_stale_change_is_412(administrator):
    device = create(administrator)["id"]
    tag = administrator.api.get(f"/devices/{device}").headers["ETag"]
    assert patch(administrator, device, {"name": "New"}, **{"If-Match": tag}).status_code == 200
    problem_of(patch(administrator, device, {"name": "Old"}, **{"If-Match": tag}), 412)
    problem_of(delete(administrator, device, **{"If-Match": tag}), 412)
    assert administrator.api.get(f"/devices/{device}").json()["name"] == "New"
    assert delete(administrator, device, **{"If-Match": "*"}).status_code == 204


def test_a_deleted_device_is_nowhere(administrator, alice):
    device = create(administrator, owner_id=alice.id)["id"]
    assert alice.api.get(f"/devices/{device}").status_code == 200
    assert delete(administrator, device).status_code == 204
    for api in (administrator.api, alice.api):
        problem_of(api.get(f"/devices/{device}"), 404)
        assert device not in {found["id"] for found in api.items("/devices", params={"limit": 500})}
    problem_of(patch(administrator, device, {"name": "x"}), 404)
    problem_of(delete(administrator, device), 404)
    problem_of(administrator.api.get(f"/devices/{device}/keys"), 404)
    problem_of(administrator.api.post(f"/devices/{device}/keys", {}), 404)


def test_a_change_is_seen_at_once_on_another_connection(administrator, alice):
    device = create(administrator, owner_id=alice.id)["id"]
    for number in range(100):
        assert patch(administrator, device, {"name": f"n{number}"}).status_code == 200
        assert alice.api.get(f"/devices/{device}").json()["name"] == f"n{number}"


def test_nobody_sees_an_older_device_after_a_newer_one(administrator, alice):
    device = create(administrator, owner_id=alice.id, name="0")["id"]
    started, seen = threading.Barrier(201), []

    def watch():
        api = Api(administrator.api.server, alice.token)
        api.get(f"/devices/{device}")  # on the connection that the others then use
        started.wait()
        seen.append([int(api.get(f"/devices/{device}").json()["name"]) for _ in range(10)])

    watchers = [threading.Thread(target=watch) for _ in range(200)]
    for watcher in watchers:
        watcher.start()
    started.wait()
    number = 0
    while any(watcher.is_alive() for watcher in watchers):
        number += 1
        assert patch(administrator, device, {"name": str(number)}).status_code == 200
    assert len(seen) == 200, "every watcher has read to the end"
    assert [numbers for numbers in seen if numbers != sorted(numbers)] == []
    assert len({number for numbers in seen for number in numbers}) > 1, "the device changed meanwhile"


# Keys


def test_a_key_is_shown_once(administrator):
    device = create(administrator)["id"]
    answer = administrator.api.post(f"/devices/{device}/keys", {"name": "Gateway"})
    assert answer.status_code == 201
    key = answer.json()
    assert set(key) == {"id", "name", "token", "created_at"}
    assert TOKEN.fullmatch(key["token"]) and TIME.fullmatch(key["created_at"])
    assert "no-store" in answer.headers["Cache-Control"]
    shown = administrator.api.get(f"/devices/{device}/keys")
    assert shown.json() == {
        "items": [{name: key[name] for name in ("id", "name", "created_at")}],
        "next_cursor": None,
    }
    path = f"/devices/{device}/keys/{key['id']}"
    assert administrator.api.request("DELETE", path).status_code == 204
    problem_of(administrator.api.request("DELETE", path), 404)
    assert administrator.api.items(f"/devices/{device}/keys") == []


@pytest.mark.parametrize("name", ["", 7, "x" * 101, "a\tb"])
def test_a_keys_name_has_a_rule(administrator, name):
    device = create(administrator)["id"]
    answer = administrator.api.post(f"/devices/{device}/keys", {"name": name})
    assert pointers(problem_of(answer, INVALID, "validation")) == {"name"}


def test_a_key_belongs_to_its_device(administrator):
    one, other = create(administrator)["id"], create(administrator)["id"]
    create_key(administrator, one)
    key = administrator.api.items(f"/devices/{one}/keys")[0]["id"]
    problem_of(administrator.api.request("DELETE", f"/devices/{other}/keys/{key}"), 404)
    assert len(administrator.api.items(f"/devices/{one}/keys")) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/devices"),
        ("GET", "/devices/{device}"),
        ("PATCH", "/devices/{device}"),
        ("GET", "/devices/{device}/keys"),
        ("GET", "/users/me"),
        ("POST", "/users"),
        ("GET", "/conversations"),
    ],
)
def test_a_key_is_no_access_token(server, administrator, method, path):
    device = create(administrator)["id"]
    api = Api(server, create_key(administrator, device))
    answer = api.request(method, path.format(device=device))
    problem_of(answer, 403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_key_sends_for_its_device_alone_and_is_dead_at_once(server, administrator):
    device, other = create(administrator)["id"], create(administrator)["id"]
    api = Api(server, create_key(administrator, device))
    reading = {"timestamp": "2026-01-01T00:15:00Z", "value": 1}
    answer = api.post(f"/devices/{device}/measurements", reading)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text
    assert api.post(f"/devices/{other}/measurements", reading).status_code in {403, 404}
    key = administrator.api.items(f"/devices/{device}/keys")[0]["id"]
    assert administrator.api.request("DELETE", f"/devices/{device}/keys/{key}").status_code == 204
    problem_of(api.post(f"/devices/{device}/measurements", reading), 401)


def test_a_key_goes_with_its_device(server, administrator):
    device = create(administrator)["id"]
    api = Api(server, create_key(administrator, device))
    assert delete(administrator, device).status_code == 204
    problem_of(api.post(f"/devices/{device}/measurements", {"value": 1}), 401)


def test_a_metric_with_readings_stays_what_it_is(administrator):
    device = create(administrator)["id"]
    reading = {"timestamp": "2026-01-01T00:15:00Z", "value": 1}
    assert administrator.api.post(f"/devices/{device}/measurements", reading).status_code == 200
    power = {"name": "power", "kind": "power", "unit": "W"}
    gone = patch(administrator, device, {"metrics": [power]})
    assert pointers(problem_of(gone, 409, "conflict")) == {"metrics"}
    other = patch(administrator, device, {"metrics": [power, ENERGY | {"kind": "counter", "unit": "Wh"}]})
    assert pointers(problem_of(other, 409, "conflict")) == {"metrics/1/kind", "metrics/1/unit"}
    assert administrator.api.get(f"/devices/{device}").json()["metrics"] == [ENERGY]
    assert patch(administrator, device, {"metrics": [power, ENERGY]}).json()["metrics"] == [power, ENERGY]


def test_what_only_looks_like_a_key_is_401(server, administrator):
    token = create_key(administrator, create(administrator)["id"])
    for wrong in (token[:-1], token + "A", token.upper(), "wlk_"):
        problem_of(Api(server, wrong).get("/devices"), 401)


def test_a_retry_gets_the_same_token_which_is_stored_nowhere(serve):
    running = serve()
    administrator = admin(running)
    device = create(administrator)["id"]
    path, headers = f"/devices/{device}/keys", {"Idempotency-Key": fresh_key()}
    first = administrator.api.post(path, {"name": "a"}, headers=headers)
    again = administrator.api.post(path, {"name": "a"}, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "no-store" in again.headers["Cache-Control"]
    problem_of(administrator.api.post(path, {"name": "b"}, headers=headers), CONFLICT, "idempotency-conflict")
    tokens = [first.json()["token"], create_key(administrator, device)]
    # Without a key of its own each request makes another token.
    assert tokens[0] != tokens[1]
    running.stop()
    stored = b"".join(file.read_bytes() for file in running.data.glob("wattloop.sqlite*"))
    for token in tokens:
        digest = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=")
        assert digest in stored, "where the tokens would be"
        assert token.encode() not in stored
        assert token.removeprefix("wlk_").encode() not in stored
    running.start()
    after = admin(running).api.post(path, {"name": "a"}, headers=headers)
    assert after.json() == first.json()
