"""Consumption in any zone, held against Python's own zone data."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from harness.api import create_user, problem_of
from harness.energy import (
    COUNTER, POWER, QUARTER, at, consumption, counts, create_device, interval, point, rfc3339, send, values)

CLOCK_CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), 23), ("Europe/Berlin", date(2025, 10, 26), 25),
    ("America/New_York", date(2026, 3, 8), 23), ("America/New_York", date(2025, 11, 2), 25),
    ("Australia/Sydney", date(2025, 10, 5), 23), ("Australia/Sydney", date(2026, 4, 5), 25),
    ("America/Santiago", date(2025, 9, 7), 23), ("America/Santiago", date(2026, 4, 4), 25),
    ("Africa/Cairo", date(2026, 4, 24), 23), ("Africa/Cairo", date(2025, 10, 30), 25),
    ("Asia/Kolkata", date(2026, 3, 29), 24), ("Asia/Kathmandu", date(2026, 3, 29), 24),
    ("UTC", date(2026, 3, 29), 24),
]


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local date."""
    moment = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - timedelta(hours=15)
    while moment.astimezone(zone).date() < day:
        moment += QUARTER
    return moment


@pytest.mark.parametrize("name,day,hours", CLOCK_CHANGES)
def test_a_local_day_has_the_hours_that_it_has(administrator, name, day, hours):
    zone = ZoneInfo(name)
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    device = create_device(administrator, timezone=name)
    quarters = []
    moment = start - timedelta(hours=3)
    while moment < end + timedelta(hours=3):
        quarters.append((moment, len(quarters) + 1))  # watt-hours, so that sums are whole
        moment += QUARTER
    send(administrator, device, [interval(begin, begin + QUARTER, wh / 1000) for begin, wh in quarters])

    items = consumption(administrator, device, day.isoformat(), (day + timedelta(days=1)).isoformat())
    assert len(items) == hours
    assert items[0]["start"] == rfc3339(start) and items[-1]["end"] == rfc3339(end)
    for one, next_one in zip(items, items[1:]):
        assert one["end"] == next_one["start"]
    for item in items:
        local = at(item["start"]).astimezone(zone)
        assert item["label"] == local.isoformat(timespec="seconds")
        assert local.date() == day and item["coverage"] == 1
        inside = [wh for begin, wh in quarters if at(item["start"]) <= begin < at(item["end"])]
        assert round(item["value"] * 1000, 6) == sum(inside)
    [whole] = consumption(administrator, device, start, end, "day")
    assert (whole["start"], whole["end"]) == (rfc3339(start), rfc3339(end))
    assert round(whole["value"] * 1000, 6) == sum(wh for begin, wh in quarters if start <= begin < end)
    assert len(consumption(administrator, device, start, end, "15m")) == (end - start) / QUARTER


def test_the_zone_of_the_question_wins_over_the_device_and_the_server(serve):
    """The server's own zone decides nothing."""
    there = serve(env={"TZ": "Pacific/Kiritimati"})
    from harness.api import admin as log_in

    boss = log_in(there)
    device = create_device(boss, timezone="America/New_York")
    send(boss, device, [interval(at("2026-01-10T00:00"), at("2026-01-11T00:00"), 24)])
    [day] = consumption(boss, device, "2026-01-09", "2026-01-10", "day")
    assert (day["label"], day["value"]) == ("2026-01-09T00:00:00-05:00", 5)
    [day] = consumption(boss, device, "2026-01-10", "2026-01-11", "day", tz="Asia/Tokyo")
    assert (day["label"], day["value"]) == ("2026-01-10T00:00:00+09:00", 15)


def test_months_are_whole_local_months(administrator):
    device = create_device(administrator, timezone="Europe/Berlin")
    send(administrator, device, [interval(at("2026-02-15T00:00"), at("2026-04-15T00:00"), 59 * 24)])
    items = consumption(administrator, device, "2026-02-01", "2026-05-01", "month")
    assert [item["label"] for item in items] == [
        "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"]
    assert values(items) == [13 * 24 + 23, 31 * 24 - 1, 14 * 24 + 2]


def test_a_gap_is_never_a_zero(administrator):
    device = create_device(administrator)
    noon = at("2026-02-03T12:00")
    send(administrator, device, [interval(noon, noon + QUARTER, 0), interval(noon + 4 * QUARTER, noon + 6 * QUARTER, 2)])
    items = consumption(administrator, device, noon - timedelta(hours=1), noon + timedelta(hours=3))
    assert values(items) == [None, 0, 2, None]
    assert [item["coverage"] for item in items] == [0, 0.25, 0.5, 0]


def test_tenths_add_up(administrator):
    device = create_device(administrator)
    start = at("2026-02-03T12:00")
    send(administrator, device, [interval(start + n * timedelta(minutes=1), start + (n + 1) * timedelta(minutes=1), 0.1)
                         for n in range(10)])
    assert values(consumption(administrator, device, start, start + timedelta(hours=1))) == [1]


def test_late_double_and_corrected_readings(administrator):
    device = create_device(administrator, metrics=COUNTER)
    start = at("2026-02-03T12:00")
    hour = timedelta(hours=1)
    assert counts(send(administrator, device, [point(start, 100), point(start + 4 * hour, 108)])) == (2, 0, 0, 0)
    assert values(consumption(administrator, device, start, start + 4 * hour)) == [2, 2, 2, 2]
    # One that comes late, and one that comes again.
    assert counts(send(administrator, device, [point(start + 2 * hour, 102), point(start, 100)])) == (1, 1, 0, 0)
    items = consumption(administrator, device, start, start + 4 * hour)
    assert values(items) == [1, 1, 3, 3]
    before = [item["revision"] for item in items]
    assert counts(send(administrator, device, [point(start + 2 * hour, 104)])) == (0, 0, 1, 0)
    items = consumption(administrator, device, start, start + 4 * hour)
    assert values(items) == [2, 2, 2, 2]
    assert all(new["revision"] > old for new, old in zip(items, before, strict=True))
    # A duplicate changes nothing at all.
    again = consumption(administrator, device, start, start + 4 * hour)
    send(administrator, device, point(start + 2 * hour, 104))
    assert consumption(administrator, device, start, start + 4 * hour) == again


def test_a_counter_that_falls_began_anew_and_that_can_be_undone(administrator):
    device = create_device(administrator, metrics=COUNTER)
    start = at("2026-02-03T12:00")
    hour = timedelta(hours=1)
    send(administrator, device, [point(start + n * hour, value) for n, value in enumerate([500, 501, 0, 502])])
    # Zero, then 502 from zero: a wrong reading that looks like a reset.
    assert values(consumption(administrator, device, start, start + 3 * hour)) == [1, 0, 502]
    [reset] = administrator.api.items(f"/devices/{device}/resets")
    assert (reset["kind"], reset["timestamp"], reset["value_before"], reset["value_after"]) == (
        "detected", rfc3339(start + 2 * hour), 501, 0)
    assert administrator.api.request("DELETE", f"/devices/{device}/resets/{reset['id']}").status_code == 204
    assert administrator.api.items(f"/devices/{device}/resets") == []
    assert values(consumption(administrator, device, start, start + 3 * hour)) == [1, 0.5, 0.5]
    problem_of(administrator.api.request("DELETE", f"/devices/{device}/resets/{reset['id']}"), 404, "not-found")
    # It stays undone when the past is touched again.
    send(administrator, device, point(start - hour, 499))
    assert administrator.api.items(f"/devices/{device}/resets") == []


def test_a_declared_change_of_meter(administrator):
    device = create_device(administrator, metrics=COUNTER)
    start = at("2026-02-03T12:00")
    hour = timedelta(hours=1)
    send(administrator, device, [point(start, 100), point(start + 2 * hour, 7003)])
    declared = {"timestamp": rfc3339(start + hour), "value_before": 101, "value_after": 7000}
    answer = administrator.api.post(f"/devices/{device}/resets", declared, headers={"Idempotency-Key": "swap"})
    assert answer.status_code == 201 and answer.headers["Location"].endswith(answer.json()["id"])
    assert answer.json()["kind"] == "declared"
    assert values(consumption(administrator, device, start, start + 2 * hour)) == [1, 3]
    again = administrator.api.post(f"/devices/{device}/resets", declared, headers={"Idempotency-Key": "swap"})
    assert again.json() == answer.json()
    problem_of(administrator.api.post(f"/devices/{device}/resets", declared), 409, "conflict")
    administrator.api.request("DELETE", answer.headers["Location"].removeprefix("/api/v1"))
    assert values(consumption(administrator, device, start, start + 2 * hour)) == [3451.5, 3451.5]


def test_power_is_a_trapezoid_and_knows_its_gaps(administrator):
    device = create_device(administrator, metrics=POWER)
    start = at("2026-02-03T12:00")
    send(administrator, device, [point(start, 0), point(start + QUARTER, 4000), point(start + 4 * QUARTER, 4000)])
    [hour] = consumption(administrator, device, start, start + timedelta(hours=1))
    assert (hour["value"], hour["coverage"]) == (0.5, 0.25)
    send(administrator, device, [point(start + 2 * QUARTER, 4000), point(start + 3 * QUARTER, 4000)])
    [hour] = consumption(administrator, device, start, start + timedelta(hours=1))
    assert (hour["value"], hour["coverage"]) == (3.5, 1)


def test_readings_without_a_start_are_of_the_time_since_the_last(administrator):
    device = create_device(administrator)
    start = at("2026-02-03T12:00")
    send(administrator, device, [point(start, 1), point(start + timedelta(hours=2), 4)])
    assert values(consumption(administrator, device, start, start + timedelta(hours=2))) == [2, 2]


def test_a_user_sees_the_sum_of_its_devices(administrator):
    ann = create_user(administrator)
    start = at("2026-02-03T12:00")
    hour = timedelta(hours=1)
    one, other = create_device(administrator, ann), create_device(administrator, ann)
    send(administrator, one, [interval(start, start + hour, 1)])
    send(administrator, other, [interval(start, start + 2 * hour, 4)])
    query = {"from": rfc3339(start), "to": rfc3339(start + 2 * hour)}
    for path in (f"/users/{ann.id}/consumption", "/users/me/consumption"):
        items = ann.api.items(path, params=query)
        assert values(items) == [3, 2] and [item["coverage"] for item in items] == [1, 0.5]
    assert values(administrator.api.items(f"/users/{ann.id}/consumption", params=query)) == [3, 2]
    problem_of(create_user(administrator).api.get(f"/users/{ann.id}/consumption", params=query), 404, "not-found")


@pytest.mark.parametrize("query,parameter", [
    ({"granularity": "week"}, "?granularity"), ({"tz": "Mars/Olympus"}, "?tz"), ({"tz": "../etc/passwd"}, "?tz"),
    ({"from": "yesterday"}, "?from"), ({"to": "2026-02-30"}, "?to"), ({"metric": "water"}, "?metric"),
    ({"from": "2026-02-02", "to": "2026-02-01"}, "?from"), ({"from": "1800-01-01"}, "?from"),
    ({"from": "1970-01-01", "to": "2099-01-01", "granularity": "15m"}, "?from"),
])
def test_a_wrong_question_is_told_what_is_wrong(administrator, query, parameter):
    device = create_device(administrator)
    problem = problem_of(administrator.api.get(f"/devices/{device}/consumption", params=query), 422, "validation")
    assert [error["pointer"] for error in problem["errors"]] == [parameter]


def test_a_plus_that_was_not_encoded_is_understood(administrator):
    device = create_device(administrator)
    answer = administrator.api.get(
        f"/devices/{device}/consumption?from=2026-02-03T01:00:00+01:00&to=2026-02-03T02:00:00+01:00")
    assert [item["start"] for item in answer.json()["items"]] == ["2026-02-03T00:00:00.000Z"]
