"""Readings in every form that they may have, answered one by one."""

import csv
import gzip
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.api import Api, create_user, problem_of
from harness.energy import (
    COUNTER, POWER, at, consumption, counts, create_device, interval, point, rfc3339, send)

NOON = at("2026-02-03T12:00")
MINUTE = timedelta(minutes=1)


def post(user, path, body, kind="application/json", **headers):
    return user.api.request("POST", path, data=body, headers={"Content-Type": kind} | headers)


def key_of(administrator, device) -> Api:
    answer = administrator.api.post(f"/devices/{device}/keys", {"name": "meter"})
    assert answer.status_code == 201
    return Api(administrator.api.server, answer.json()["token"])


def test_one_object_and_an_array(administrator):
    device = create_device(administrator)
    assert counts(send(administrator, device, point(NOON, 1))) == (1, 0, 0, 0)
    assert counts(send(administrator, device, [point(NOON, 1), point(NOON + MINUTE, 2)])) == (1, 1, 0, 0)
    assert counts(send(administrator, device, [])) == (0, 0, 0, 0)


def test_each_reading_is_answered_by_its_index(administrator):
    device = create_device(administrator)
    soon = datetime.now(timezone.utc)
    report = send(administrator, device, [
        point(NOON, 1),
        {"timestamp": rfc3339(NOON + MINUTE)},
        {"value": 1},
        point(NOON + MINUTE, "1"),
        point(NOON + MINUTE, -1),
        point(soon + timedelta(minutes=6), 1),
        point(soon + timedelta(minutes=4), 1),
        {"timestamp": "yesterday", "value": 1},
        {"timestamp": "2026-02-03T12:00:00", "value": 1},
        interval(NOON, NOON, 1),
        {"timestamp": rfc3339(NOON + MINUTE), "value": 1, "metric": "water"},
        7,
        point(NOON + 2 * MINUTE, 1e300),
        point(NOON + 3 * MINUTE, 3),
    ])
    assert (report["accepted"], report["rejected_count"]) == (3, 11)
    assert [one["index"] for one in report["rejected"]] == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    assert all(one["type"].startswith("/problems/") and one["detail"] for one in report["rejected"])
    assert {one["index"]: one["type"] for one in report["rejected"]}[5] == "/problems/in-future"
    stored = administrator.api.items(f"/devices/{device}/measurements")
    assert [one["value"] for one in stored] == [1, 3, 1]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "-1e999", "01", ".5", "1."])
def test_what_is_no_number_is_never_stored(administrator, value):
    device = create_device(administrator)
    answer = post(administrator, f"/devices/{device}/measurements", f'{{"timestamp":"{rfc3339(NOON)}","value":{value}}}')
    assert answer.status_code == 400 or answer.json()["accepted"] == 0, answer.text
    assert administrator.api.items(f"/devices/{device}/measurements") == []


def test_json_that_is_broken_at_its_end_leaves_nothing(administrator):
    device = create_device(administrator)
    answer = post(administrator, f"/devices/{device}/measurements", json.dumps([point(NOON, 1)])[:-1] + ",")
    problem_of(answer, 400, "malformed")
    assert administrator.api.items(f"/devices/{device}/measurements") == []


def test_lines_of_json(administrator):
    device = create_device(administrator)
    lines = [json.dumps(point(NOON, 1)), "", "{broken", json.dumps(point(NOON + MINUTE, 2)), "[1]", "\xff"]
    answer = post(
        administrator, f"/devices/{device}/measurements", "\r\n".join(lines).encode("latin-1"), "application/x-ndjson")
    report = answer.json()
    assert report["accepted"] == 2
    assert [(one["index"], one["type"]) for one in report["rejected"]] == [
        (1, "/problems/malformed"), (3, "/problems/validation"), (4, "/problems/malformed")]


def test_comma_separated_values_for_many_devices(administrator):
    one, other = create_device(administrator), create_device(administrator)
    text = (
        '\ufeff"value",end,start,device_id,note\r\n'
        f"1.5,{rfc3339(NOON + MINUTE)},{rfc3339(NOON)},{one},\"hello, \"\"you\"\"\"\r\n"
        f"2,2026-02-03T13:01:00+01:00,,{other},\n"
        f"3,{rfc3339(NOON)},,d999999,\n"
        f"x,{rfc3339(NOON)},,{one},\n"
        "1,2\n"
        f"4,{rfc3339(NOON + 2 * MINUTE)},,{other},"
    )
    report = post(administrator, "/measurements", text.encode(), "text/csv; charset=utf-8").json()
    assert counts(report)[:3] == (3, 0, 0)
    assert [(item["index"], item["type"]) for item in report["rejected"]] == [
        (2, "/problems/not-found"), (3, "/problems/validation"), (4, "/problems/malformed")]
    [stored] = administrator.api.items(f"/devices/{one}/measurements")
    assert stored == {
        "device_id": one, "metric": "energy", "start": rfc3339(NOON), "end": rfc3339(NOON + MINUTE), "value": 1.5}
    assert len(administrator.api.items(f"/devices/{other}/measurements")) == 2


def test_a_csv_without_a_header_is_refused(administrator):
    problem_of(post(administrator, "/measurements", "1,2,3\n", "text/csv"), 422, "validation")


def test_another_media_type_is_refused(administrator):
    problem_of(post(administrator, "/measurements", "value=1", "application/x-www-form-urlencoded"), 415)


def test_pages_follow_each_other_and_the_link(administrator):
    device = create_device(administrator)
    send(administrator, device, [point(NOON + n * MINUTE, n) for n in range(25)])
    seen, path = [], f"/devices/{device}/measurements?limit=10"
    while path:
        answer = administrator.api.get(path)
        seen += [item["value"] for item in answer.json()["items"]]
        assert ("next" in answer.links) == (answer.json()["next_cursor"] is not None)
        path = answer.links["next"]["url"].removeprefix("/api/v1") if answer.links else None
    assert seen == list(range(25))
    some = administrator.api.items(f"/devices/{device}/measurements", params={
        "from": rfc3339(NOON + 5 * MINUTE), "to": rfc3339(NOON + 8 * MINUTE)})
    assert [item["value"] for item in some] == [5, 6, 7]


def test_several_metrics_are_kept_apart(administrator):
    device = create_device(administrator, metrics=COUNTER + [{"name": "power", "kind": "power", "unit": "W"}])
    send(administrator, device, [point(NOON, 1), point(NOON, 2000) | {"metric": "power"}])
    assert [(one["metric"], one["value"]) for one in administrator.api.items(f"/devices/{device}/measurements")] == [
        ("register", 1), ("power", 2000)]
    only = administrator.api.items(f"/devices/{device}/measurements", params={"metric": "power"})
    assert [one["value"] for one in only] == [2000]


def test_an_idempotency_key_gives_the_first_answer_again(administrator):
    device = create_device(administrator)
    first = administrator.api.post(
        f"/devices/{device}/measurements", [point(NOON, 1)], headers={"Idempotency-Key": "batch-1"})
    again = administrator.api.post(
        f"/devices/{device}/measurements", [point(NOON, 1)], headers={"Idempotency-Key": "batch-1"})
    assert first.json()["accepted"] == 1 and again.json() == first.json()
    other = administrator.api.post(
        f"/devices/{device}/measurements", [point(NOON, 2)], headers={"Idempotency-Key": "batch-1"})
    problem_of(other, 422, "idempotency-conflict")


def test_a_device_key_sends_its_own_device_and_nothing_else(administrator):
    mine, other = create_device(administrator), create_device(administrator)
    meter = key_of(administrator, mine)
    assert counts(send(meter, mine, point(NOON, 1))) == (1, 0, 0, 0)
    report = meter.post("/measurements", [
        point(NOON + MINUTE, 1) | {"device_id": mine}, point(NOON, 1) | {"device_id": other}]).json()
    assert report["accepted"] == 1 and report["rejected"][0]["type"] == "/problems/not-found"
    assert meter.post(f"/devices/{other}/measurements", point(NOON, 1)).status_code == 404
    assert meter.get(f"/devices/{mine}").status_code == 403
    assert meter.get(f"/devices/{mine}/measurements").status_code == 403
    assert meter.get("/users/me").status_code == 403
    [key] = administrator.api.items(f"/devices/{mine}/keys")
    assert "token" not in key
    assert administrator.api.request("DELETE", f"/devices/{mine}/keys/{key['id']}").status_code == 204
    problem_of(meter.post(f"/devices/{mine}/measurements", point(NOON, 1)), 401)


def test_clients_send_no_readings(administrator):
    ann = create_user(administrator)
    device = create_device(administrator, ann)
    problem_of(ann.api.post(f"/devices/{device}/measurements", point(NOON, 1)), 403, "forbidden")
    problem_of(ann.api.post("/measurements", []), 403, "forbidden")


def test_a_body_beyond_the_limit_is_refused(administrator):
    device = create_device(administrator)
    line = json.dumps(point(NOON, 1)) + "\n"
    body = (line * (9 * 1024 * 1024 // len(line))).encode()
    answer = post(administrator, f"/devices/{device}/measurements", body, "application/x-ndjson")
    problem_of(answer, 413, "too-large")


def test_readings_survive_a_kill_and_the_store_checks(serve):
    from harness.api import admin as log_in
    from harness.server import wattloop

    server = serve()
    boss = log_in(server)
    device = create_device(boss, metrics=COUNTER)
    send(boss, device, [point(NOON + n * MINUTE, n * 3 % 700) for n in range(1000)])
    before = consumption(boss, device, NOON, NOON + timedelta(hours=18))
    server.kill()
    checked = wattloop("check", "--data", server.data)
    assert checked.returncode == 0 and "1000 readings" in checked.stdout, checked.stdout
    server.start()
    assert consumption(log_in(server), device, NOON, NOON + timedelta(hours=18)) == before


@pytest.mark.parametrize("metrics", [None, COUNTER, POWER], ids=["interval", "counter", "power"])
def test_a_meter_that_sends_one_by_one_has_what_all_at_once_gives(serve, metrics):
    """Whatever happens between two readings: the server knows no end of a meter that is not the store's."""
    from harness.api import admin as log_in
    from harness.server import wattloop

    server = serve()
    boss = log_in(server)
    form = {"max_hourly_kwh": 2} | ({"metrics": metrics} if metrics else {})
    one, all_at_once = create_device(boss, **form), create_device(boss, **form)
    # A third over the limit, and of a counter one fall.
    amounts = [1000 * (n % 7) if metrics == POWER else (n % 3 if not metrics else n * n / 30 % 40) for n in range(30)]
    readings = [point(NOON + n * 13 * MINUTE, round(amount, 3)) for n, amount in enumerate(amounts)]
    change = {"timestamp": rfc3339(NOON + (10 * 13 + 5) * MINUTE), "value_before": 4, "value_after": 1}
    late = readings.pop(14)
    for n, reading in enumerate(readings):
        send(boss, one, reading)
        if n == 5:
            assert wattloop("user", "add", "--load-test", 1, "--data", server.data).returncode == 0
        if n == 8:
            for zone in "Asia/Kolkata", "UTC":
                assert boss.api.request("PATCH", f"/devices/{one}", json={"timezone": zone}).status_code == 200
        if n == 10 and metrics == COUNTER:
            assert boss.api.post(f"/devices/{one}/resets", change).status_code == 201
        if n == 16:
            send(boss, one, late)
        if n == 20:
            send(boss, one, reading | {"value": reading["value"] + 1})
            reading["value"] += 1
        if n == 24:
            server.kill()
            server.start()
            boss = log_in(server)
    if metrics == COUNTER:
        assert boss.api.post(f"/devices/{all_at_once}/resets", change).status_code == 201
    send(boss, all_at_once, readings + [late])

    def known(device):
        hours = consumption(boss, device, NOON, NOON + timedelta(hours=8))
        alerts = boss.api.items("/alerts", params={"limit": 500, "state": "firing"})
        return (
            [(hour["value"], hour["coverage"]) for hour in hours],
            sorted((alert["start"], alert["value"]) for alert in alerts if alert["device_id"] == device))

    assert known(one) == known(all_at_once)
    hours, alerts = known(one)
    assert alerts and any(value for value, _ in hours)
    server.stop()
    checked = wattloop("check", "--data", server.data)
    assert checked.returncode == 0, checked.stdout


def test_check_finds_what_was_changed_by_hand(serve):
    import sqlite3

    from harness.api import admin as log_in
    from harness.server import wattloop

    server = serve()
    boss = log_in(server)
    device = create_device(boss, metrics=COUNTER, max_hourly_kwh=2)
    send(boss, device, [point(NOON, 5), point(NOON + timedelta(hours=1), 6), point(NOON + timedelta(hours=2), 1)])
    server.stop()
    store = sqlite3.connect(server.data / "wattloop.sqlite")
    store.execute("UPDATE buckets SET energy = energy + 1 WHERE number = (SELECT min(number) FROM buckets WHERE energy > 0)")
    store.execute("DELETE FROM resets")
    store.commit()
    store.close()
    checked = wattloop("check", "--data", server.data)
    assert checked.returncode == 1
    assert "d1 register: the bucket of 2026-02-03T12:00:00.000Z" in checked.stdout
    assert "the fall at 2026-02-03T14:00:00.000Z is not noted" in checked.stdout


def test_what_leaves_as_csv_comes_back_as_it_was(administrator):
    device = create_device(administrator, metrics=[{"name": "energy", "kind": "interval", "unit": "Wh"},
                                                   {"name": "power", "kind": "power", "unit": "W"}])
    send(administrator, device, [interval(NOON + n * MINUTE, NOON + (n + 1) * MINUTE, n / 7) for n in range(5000)])
    send(administrator, device, [point(NOON + n * MINUTE, -n) | {"metric": "power"} for n in range(3)])
    path = f"/devices/{device}/measurements"
    text = administrator.api.get(path, headers={"Accept": "text/csv"})
    assert text.headers["Content-Type"].startswith("text/csv") and text.headers["Transfer-Encoding"] == "chunked"
    rows = list(csv.DictReader(text.text.splitlines()))
    assert len(rows) == 5003 and list(rows[0]) == ["device_id", "metric", "start", "end", "value"]
    assert rows[4] == {"device_id": device, "metric": "energy", "start": rfc3339(NOON + 4 * MINUTE),
                       "end": rfc3339(NOON + 5 * MINUTE), "value": repr(4 / 7)}
    # All of it again: every row is known, and none has changed on its way.
    assert post(administrator, "/measurements", text.content, "text/csv").json()["duplicates"] == 5003
    lines = administrator.api.get(path, headers={"Accept": "application/x-ndjson"}, params={"metric": "power"})
    assert [json.loads(line)["value"] for line in lines.text.splitlines()] == [0, -1, -2]
    again = post(administrator, path, lines.content, "application/x-ndjson").json()
    assert (again["duplicates"], again["rejected"]) == (3, [])


@pytest.mark.parametrize("accept,kind", [
    ("*/*", "application/json"), ("text/html, application/json;q=0.9", "application/json"),
    ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8; header=present"),
    ("text/csv;q=0, */*", "application/json"),
])
def test_the_client_chooses_the_form(administrator, accept, kind):
    device = create_device(administrator)
    answer = administrator.api.get(f"/devices/{device}/measurements", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == kind


def test_a_long_import_and_export_need_little_memory(serve):
    """Three times 100,000 readings in and then out; what the server holds grows by far less than the bodies."""
    from harness.api import admin as log_in

    server = serve()
    boss = log_in(server)
    device = create_device(boss, metrics=COUNTER)

    def resident() -> int:
        status = (Path("/proc") / str(server.pid) / "status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024

    def body(part):
        for n in range(part * 100_000, (part + 1) * 100_000):
            yield f'{{"timestamp":"{rfc3339(NOON - timedelta(seconds=n))}","value":{1_000_000 - n}}}\n'.encode()

    send(boss, device, point(NOON + MINUTE, 1_000_001))
    before = resident()
    for part in range(3):
        report = boss.api.request(
            "POST", f"/devices/{device}/measurements", data=body(part), timeout=60,
            headers={"Content-Type": "application/x-ndjson"}).json()
        assert report["accepted"] == 100_000, report
    with boss.api.http.get(
            f"{server.api_url}/devices/{device}/measurements", stream=True,
            headers={"Accept": "text/csv", "Authorization": f"Bearer {boss.token}"}) as answer:
        rows = sum(1 for _ in answer.iter_lines())
    assert rows == 300_002
    assert resident() - before < 40, "MiB"


@pytest.mark.parametrize("path", ["/measurements", "/devices/d1/measurements", "/devices", "/auth/login"])
def test_a_body_with_a_content_coding_is_refused(administrator, path):
    answer = post(administrator, path, gzip.compress(b"[]"), **{"Content-Encoding": "gzip"})
    problem_of(answer, 415)
    assert answer.headers["Accept-Encoding"] == "identity"
