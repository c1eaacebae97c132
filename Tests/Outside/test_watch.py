"""`watch`: the quarter hours of a device, live, for those who may see it."""

from datetime import timedelta

from harness.energy import QUARTER, at, consumption, create_device, interval, rfc3339, send

NOON = at("2026-03-03T12:00")


def of(event: dict) -> tuple:
    return event["start"], event["end"], event["value"], event["coverage"], event["revision"]


async def test_a_watcher_hears_each_quarter_that_changes(connect, administrator, alice):
    device = create_device(administrator, alice)
    session = await connect(alice)
    assert (await session.ok("watch", device=device))["latest"] is None
    send(administrator, device, [interval(NOON, NOON + 2 * QUARTER, 2)])
    first, second = [await session.expect("consumption", device=device) for _ in range(2)]
    assert of(first) == (rfc3339(NOON), rfc3339(NOON + QUARTER), 1, 1, 1)
    assert of(second) == (rfc3339(NOON + QUARTER), rfc3339(NOON + 2 * QUARTER), 1, 1, 1)
    send(administrator, device, [interval(NOON, NOON + 2 * QUARTER, 3)])
    corrected = await session.expect("consumption", device=device)
    assert of(corrected) == (rfc3339(NOON), rfc3339(NOON + QUARTER), 1.5, 1, 2)
    items = consumption(alice, device, NOON, NOON + QUARTER, "15m")
    assert [(i["start"], i["end"], i["value"], i["coverage"], i["revision"]) for i in items] == [of(corrected)]


async def test_latest_is_the_last_quarter_of_which_something_is_known(connect, administrator, alice):
    device = create_device(administrator, alice)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1), interval(NOON + QUARTER, NOON + QUARTER * 1.5, 2)])
    latest = (await (await connect(administrator)).ok("watch", device=device))["latest"]
    assert of(latest) == (rfc3339(NOON + QUARTER), rfc3339(NOON + 2 * QUARTER), 2, 0.5, 1)


async def test_nobody_else_hears_it_and_not_after_unwatch(connect, administrator, alice, bob):
    device, other = create_device(administrator, alice), create_device(administrator, alice)
    watching, idle, stranger = await connect(alice), await connect(alice), await connect(bob)
    await watching.ok("watch", device=device)
    await stranger.problem("watch", "not-found", device=device)
    await stranger.problem("watch", "not-found", device="d999999")
    send(administrator, other, [interval(NOON, NOON + QUARTER, 1)])
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    await watching.expect("consumption", device=device)
    await watching.ok("unwatch", device=device)
    await watching.ok("unwatch", device=device)
    send(administrator, device, [interval(NOON, NOON + QUARTER, 2)])
    for session in (watching, idle, stranger):
        await session.settle()
    assert len(watching.of("consumption")) == 1
    assert idle.of("consumption") == [] and stranger.of("consumption") == []


async def test_who_loses_the_device_hears_nothing_more(connect, administrator, alice, bob):
    device = create_device(administrator, alice)
    owner, boss = await connect(alice), await connect(administrator)
    await owner.ok("watch", device=device)
    await boss.ok("watch", device=device)
    changed = administrator.api.request("PATCH", f"/devices/{device}", json={"owner_id": bob.id})
    assert changed.status_code == 200
    await owner.settle()
    send(administrator, device, [interval(NOON, NOON + QUARTER, 1)])
    await boss.expect("consumption", device=device)
    await owner.settle()
    assert owner.of("consumption") == []


async def test_a_socket_watches_no_more_than_a_hundred(connect, administrator):
    session = await connect(administrator)
    devices = [create_device(administrator) for _ in range(101)]
    for device in devices[:100]:
        await session.ok("watch", device=device)
    await session.problem("watch", "validation", device=devices[100])
    await session.ok("unwatch", device=devices[0])
    await session.ok("watch", device=devices[100])
