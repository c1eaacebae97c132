"""Contract §3 and §4: `watch` a device and hear its consumption as it is measured."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from harness.energy import QUARTER, at, consumption, create_device, interval, point, rfc3339, send

NOON = at("2026-02-03T12:00")
FIELDS = ("start", "end", "value", "coverage", "revision")
MOST = 100


async def watch(client, device):
    answer = await client.ok("watch", device=device)
    assert set(answer) == {"type", "id", "latest"}
    return answer["latest"]


async def test_the_owner_hears_every_touched_bucket(connect, administrator, alice):
    """`latest` is the last quarter of an hour; then each that changes is told as REST says it."""
    device = create_device(administrator, alice)
    hers = await connect(alice)
    assert await watch(hers, device) is None
    send(administrator, device, [interval(NOON, NOON + QUARTER, 0.5)])
    heard = await hers.expect("consumption")
    assert set(heard) == {"type", "device", *FIELDS}
    assert [heard[name] for name in ("device", "start", "end", "value", "coverage")] == [
        device, rfc3339(NOON), rfc3339(NOON + QUARTER), 0.5, 1]
    [stored] = consumption(alice, device, NOON, NOON + QUARTER, "15m")
    assert {name: heard[name] for name in FIELDS} == {name: stored[name] for name in FIELDS}

    send(administrator, device, [interval(NOON + QUARTER, NOON + 3 * QUARTER, 1)])
    later = [await hers.expect("consumption") for _ in range(2)]
    assert [(one["start"], one["value"]) for one in later] == [
        (rfc3339(NOON + QUARTER), 0.5), (rfc3339(NOON + 2 * QUARTER), 0.5)]
    latest = await watch(await connect(alice), device)
    assert latest == {name: later[1][name] for name in FIELDS}


async def test_a_correction_comes_with_a_higher_revision_and_a_duplicate_not_at_all(connect, administrator, alice):
    device = create_device(administrator, alice)
    hers = await connect(alice)
    await watch(hers, device)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    first = await hers.expect("consumption")
    assert send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])["duplicates"] == 1
    assert send(administrator, device, [interval(NOON, NOON + QUARTER, 2)])["corrected"] == 1
    second = await hers.expect("consumption")
    assert (second["start"], second["value"]) == (first["start"], 2) and second["revision"] > first["revision"]
    await hers.settle()
    assert len(hers.of("consumption")) == 2


async def test_a_late_reading_is_told_and_the_latest_stays(connect, administrator, alice):
    device = create_device(administrator, alice)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    hers = await connect(alice)
    assert (await watch(hers, device))["start"] == rfc3339(NOON)
    early = NOON - 4 * QUARTER
    send(administrator, device, [interval(early, early + QUARTER, 3)])
    assert (await hers.expect("consumption"))["start"] == rfc3339(early)
    assert (await watch(hers, device))["start"] == rfc3339(NOON)


async def test_a_quarter_that_is_known_in_part_is_the_latest_too(connect, administrator, alice):
    device = create_device(administrator, alice)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1), interval(NOON + QUARTER, NOON + QUARTER * 1.5, 2)])
    latest = await watch(await connect(administrator), device)
    assert (latest["start"], latest["end"]) == (rfc3339(NOON + QUARTER), rfc3339(NOON + 2 * QUARTER))
    assert (latest["value"], latest["coverage"]) == (2, 0.5)


async def test_administrators_may_watch_every_device_and_others_none(connect, administrator, alice, bob):
    device, nobodys = create_device(administrator, alice), create_device(administrator)
    boss, his, hers = await connect(administrator), await connect(bob), await connect(alice)
    await watch(boss, device)
    await watch(boss, nobodys)
    await his.problem("watch", "not-found", device=device)
    await hers.problem("watch", "not-found", device=nobodys)
    for unknown in ("d99999999", "", "x" * 3000, "d-1"):
        answer = await hers.problem("watch", device=unknown)
        assert answer["problem"] in ("/problems/not-found", "/problems/validation")
    for wrong in (None, 5, [device]):
        await hers.problem("watch", "validation", device=wrong)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    await boss.expect("consumption", device=device)
    for session in (his, hers):
        await session.settle()
        assert session.of("consumption") == [], "who does not watch hears nothing"


async def test_after_unwatch_nothing_is_heard(connect, administrator, alice):
    device, other = create_device(administrator, alice), create_device(administrator, alice)
    hers = await connect(alice)
    for one in (device, other, device):
        await watch(hers, one)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    await hers.expect("consumption")
    await hers.ok("unwatch", device=device)
    await hers.ok("unwatch", device=device)
    send(administrator, device, [interval(NOON + QUARTER, NOON + 2 * QUARTER, 1)])
    send(administrator, other, [interval(NOON, NOON + QUARTER, 1)])
    await hers.expect("consumption", device=other)
    assert [one["device"] for one in hers.of("consumption")] == [device, other], "watched twice is heard once"


async def test_a_watch_is_the_sessions_own(connect, administrator, alice):
    device = create_device(administrator, alice)
    phone, laptop = await connect(alice), await connect(alice)
    await watch(phone, device)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    await phone.expect("consumption")
    await phone.close()
    await laptop.settle()
    assert laptop.of("consumption") == []
    again = await connect(alice)
    send(administrator, device, [interval(NOON + QUARTER, NOON + 2 * QUARTER, 1)])
    await again.settle()
    assert again.of("consumption") == [], "a new session watches nothing"


async def test_a_hundred_devices_and_no_more(connect, administrator, alice):
    """At most 100 on a socket; what is unwatched makes room."""
    devices = [create_device(administrator, alice) for _ in range(MOST + 1)]
    hers = await connect(alice)
    for device in devices[:MOST]:
        await watch(hers, device)
    answer = await hers.request("watch", device=devices[MOST])
    assert answer["type"] == "error" and 400 <= answer["status"] < 500, answer
    await watch(hers, devices[0])
    send(administrator, devices[MOST - 1], [interval(NOON, NOON + QUARTER, 1)])
    await hers.expect("consumption", device=devices[MOST - 1])
    await hers.ok("unwatch", device=devices[0])
    await watch(hers, devices[MOST])


async def test_a_device_that_is_given_away_is_watched_no_more(connect, administrator, alice, bob):
    """The old owner hears nothing of what comes after the change."""
    device = create_device(administrator, alice)
    hers, boss = await connect(alice), await connect(administrator)
    await watch(hers, device)
    await watch(boss, device)
    changed = administrator.api.request("PATCH", f"/devices/{device}", json={"owner_id": bob.id})
    assert changed.status_code == 200, changed.text
    send(administrator, device, [interval(NOON, NOON + QUARTER, 7)])
    await boss.expect("consumption", device=device)
    await hers.settle()
    assert hers.of("consumption") == []
    await hers.problem("watch", "not-found", device=device)
    his = await connect(bob)
    assert (await watch(his, device))["value"] == 7


async def test_a_deleted_device_ends_its_watch(connect, administrator, alice):
    device = create_device(administrator, alice)
    hers = await connect(alice)
    await watch(hers, device)
    assert administrator.api.request("DELETE", f"/devices/{device}").status_code == 204
    await hers.problem("watch", "not-found", device=device)
    await hers.ok("ping")


async def test_an_administrator_no_more_hears_of_others_no_more(connect, administrator, alice, person):
    """A role that is taken away takes its watches along, or ends the session."""
    device, boss = create_device(administrator, alice), person("boss", "admin")
    session, owner = await connect(boss), await connect(alice)
    await watch(session, device)
    await watch(owner, device)
    changed = administrator.api.request("PATCH", f"/users/{boss.id}", json={"role": "client"})
    assert changed.status_code == 200, changed.text
    send(administrator, device, [interval(NOON, NOON + QUARTER, 7)])
    await owner.expect("consumption")
    try:
        await session.settle()
    except (ConnectionError, ConnectionClosed):
        pass
    assert session.of("consumption") == []


@pytest.mark.parametrize("kind", ["counter", "power"])
async def test_registers_and_power_are_heard_too(connect, administrator, alice, kind):
    metrics = [{"name": "m", "kind": kind, "unit": "kWh" if kind == "counter" else "W"}]
    device = create_device(administrator, alice, metrics=metrics)
    hers = await connect(alice)
    await watch(hers, device)
    send(administrator, device, [point(NOON, 1000), point(NOON + QUARTER, 1004)])
    heard = await hers.expect("consumption", start=rfc3339(NOON))
    wanted = 4 if kind == "counter" else 1.002 / 4
    assert heard["value"] == pytest.approx(wanted) and heard["coverage"] == 1


async def test_the_last_thing_heard_of_a_bucket_is_what_is_stored(connect, administrator, alice):
    """However fast the readings come: revisions grow, and the end is the same for all."""
    device = create_device(administrator, alice)
    sessions = [await connect(alice) for _ in range(3)]
    for session in sessions:
        await watch(session, device)

    def measure(quarter):
        start = NOON + quarter * QUARTER
        for part in range(5):
            begin = start + part * QUARTER / 5
            send(administrator, device, [interval(begin, begin + QUARTER / 5, 0.2)])

    for quarter in range(6):
        await asyncio.to_thread(measure, quarter)
    stored = consumption(alice, device, NOON, NOON + 6 * QUARTER, "15m")
    for session in sessions:
        await session.expect("consumption", start=stored[-1]["start"], revision=stored[-1]["revision"])
        for bucket in stored:
            heard = [one for one in session.of("consumption") if one["start"] == bucket["start"]]
            revisions = [one["revision"] for one in heard]
            assert revisions == sorted(set(revisions))
            assert {name: heard[-1][name] for name in FIELDS} == {name: bucket[name] for name in FIELDS}


async def test_between_latest_and_what_is_heard_there_is_no_gap(connect, administrator, alice):
    """Watched while readings come in: whatever `latest` does not know yet is heard."""
    device = create_device(administrator, alice)
    for number in range(15):
        session = await connect(alice)
        start = NOON + number * QUARTER
        watching = await session.begin("watch", device=device)
        send(administrator, device, [interval(start, start + QUARTER, number + 1)])
        latest = (await watching)["latest"]
        if latest is None or latest["start"] != rfc3339(start):
            event = await session.expect("consumption", start=rfc3339(start))
            assert event["value"] == number + 1
