"""Alerts: once for an hour, to those whom they concern, cleared by corrections, kept through crashes."""

from datetime import timedelta

from harness.api import admin as log_in
from harness.api import TIME, create_user, messages, problem_of
from harness.client import Client
from harness.energy import at, consumption, create_device, interval, point, rfc3339, send

NOON = at("2026-02-03T12:00")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def alerts(user, device, **query) -> list:
    return [one for one in user.api.items("/alerts", params={"limit": 500} | query) if one["device_id"] == device]


async def test_the_owner_and_the_administrators_hear_it_and_nobody_else(connect, administrator, alice, bob):
    device = create_device(administrator, alice, name="Boiler", max_hourly_kwh=2)
    owner, other, boss = await connect(alice), await connect(bob), await connect(administrator)
    send(administrator, device, [interval(NOON, NOON + HOUR, 2.5)])

    for session in (owner, boss):
        event = await session.expect("alert", device=device)
        assert event["state"] == "firing" and event["position"] > 0
        assert (event["value"], event["limit"]) == (2.5, 2)
        assert (event["start"], event["end"]) == (rfc3339(NOON), rfc3339(NOON + HOUR))
        message = await session.expect("message", kind="alert")
        assert message["position"] > event["position"] and "Boiler" in message["text"]
    await other.settle()
    assert other.of("alert") == [] and other.of("message") == []

    [alert] = alerts(alice, device)
    assert alert == alerts(administrator, device)[0]
    assert (alert["state"], alert["value"], alert["limit"]) == ("firing", 2.5, 2)
    assert TIME.fullmatch(alert["fired_at"])
    assert [alert[name] for name in ("cleared_at", "acknowledged_by", "acknowledged_at")] == [None] * 3
    assert alerts(bob, device) == []


async def test_it_stands_in_the_support_conversation_and_counts_as_unread(administrator, alice):
    device = create_device(administrator, alice, max_hourly_kwh=2)
    send(administrator, device, [interval(NOON, NOON + HOUR, 3)])
    opened = alice.api.post("/support")
    assert opened.status_code == 200 and opened.json()["kind"] == "support", "it was made by the alert"
    conversation = opened.json()
    assert (conversation["last_seq"], conversation["unread"]) == (1, 1)
    [message] = messages(alice, conversation["id"])["items"]
    assert message["kind"] == "alert" and "3 kWh" in message["text"] and "limit of 2 kWh" in message["text"]
    assert messages(administrator, conversation["id"])["items"] == [message]
    assert conversation["last_message"]["kind"] == "alert"


async def test_one_alert_an_hour_however_many_readings(administrator, alice):
    device = create_device(administrator, alice, max_hourly_kwh=1)
    for minute in range(0, 60, 5):
        start = NOON + minute * MINUTE
        send(administrator, device, [interval(start, start + 5 * MINUTE, 0.5)])
    send(administrator, device, [interval(NOON + HOUR, NOON + 2 * HOUR, 1)])  # the limit itself is no excess
    send(administrator, device, [interval(NOON + 2 * HOUR, NOON + 3 * HOUR, 1.001)])
    found = alerts(alice, device)
    assert [(one["start"], one["value"]) for one in found] == [
        (rfc3339(NOON + 2 * HOUR), 1.001), (rfc3339(NOON), 6)]
    assert alice.api.post("/support").json()["last_seq"] == 2


async def test_a_correction_clears_it_and_another_fires_it_again(connect, administrator, alice):
    device = create_device(administrator, alice, max_hourly_kwh=2)
    session = await connect(alice)
    send(administrator, device, [interval(NOON, NOON + HOUR, 3)])
    fired = await session.expect("alert", state="firing")
    send(administrator, device, [interval(NOON, NOON + HOUR, 1.5)])
    cleared = await session.expect("alert", state="cleared")
    assert cleared["id"] == fired["id"] and cleared["value"] == 1.5
    [alert] = alerts(alice, device, state="cleared")
    assert TIME.fullmatch(alert["cleared_at"]) and alerts(alice, device, state="firing") == []
    send(administrator, device, [interval(NOON, NOON + HOUR, 4)])
    again = await session.expect("alert", state="firing")
    assert again["id"] == fired["id"]
    [alert] = alerts(alice, device)
    assert (alert["state"], alert["value"], alert["cleared_at"]) == ("firing", 4, None)
    assert alice.api.post("/support").json()["last_seq"] == 1, "one message for a device and hour"


async def test_who_acknowledged_it_is_kept(connect, administrator, alice, bob):
    device = create_device(administrator, alice, max_hourly_kwh=2)
    send(administrator, device, [interval(NOON, NOON + HOUR, 3)])
    [alert] = alerts(alice, device, acknowledged="false")
    path = f"/alerts/{alert['id']}/acknowledge"
    problem_of(bob.api.post(path), 404, "not-found")
    session = await connect(administrator)
    answer = alice.api.post(path)
    assert answer.status_code == 200 and answer.json()["acknowledged_by"] == alice.id
    event = await session.expect("alert", state="acknowledged", id=alert["id"])
    assert event["device"] == device
    first = answer.json()
    assert administrator.api.post(path).json() == first, "who was first stays"
    assert alerts(alice, device, acknowledged="true") == [first]
    assert alerts(alice, device, acknowledged="false") == []
    problem_of(alice.api.post("/alerts/a999999/acknowledge"), 404, "not-found")
    problem_of(alice.api.get("/alerts?state=loud"), 422, "validation")


async def test_the_hour_is_the_devices_own(administrator, alice):
    """In Kathmandu hours begin a quarter after UTC's."""
    device = create_device(administrator, alice, timezone="Asia/Kathmandu", max_hourly_kwh=2)
    send(administrator, device, [interval(NOON, NOON + HOUR, 3)])
    [alert] = alerts(alice, device)
    assert alert["start"] == rfc3339(NOON + 15 * MINUTE) and alert["value"] == 2.25
    assert consumption(alice, device, alert["start"], alert["end"])[0]["value"] == 2.25


async def test_a_device_without_an_owner_tells_the_administrators(connect, administrator):
    device = create_device(administrator, max_hourly_kwh=2)
    session = await connect(administrator)
    send(administrator, device, [interval(NOON, NOON + HOUR, 3)])
    assert (await session.expect("alert", device=device))["state"] == "firing"


async def test_who_was_away_finds_it_and_a_restart_fires_nothing_twice(serve):
    server = serve()
    boss = log_in(server)
    ann = create_user(boss)
    device = create_device(boss, ann, max_hourly_kwh=2)
    send(boss, device, [interval(NOON, NOON + HOUR, 3)])
    server.kill()
    server.start()
    boss, ann.api.token = log_in(server), log_in_as(server, ann)
    # The same readings again, as a meter that heard no answer sends them.
    assert send(boss, device, [interval(NOON, NOON + HOUR, 3)])["duplicates"] == 1
    [alert] = alerts(ann, device)
    assert alert["state"] == "firing"
    session = await Client.open(server, ann.api.token)
    conversation = ann.api.post("/support").json()
    assert (conversation["last_seq"], conversation["unread"]) == (1, 1)
    await session.settle()
    assert session.of("alert") == []
    await session.close()


def log_in_as(server, user) -> str:
    from harness.api import login

    return login(server, user.username, user.password).token


async def test_a_new_administrator_hears_of_it_too(connect, administrator, alice, person):
    device = create_device(administrator, alice, max_hourly_kwh=2)
    send(administrator, device, [point(NOON, 0), interval(NOON, NOON + HOUR, 3)])
    newcomer = person("boss", "admin")
    session = await connect(newcomer)
    send(administrator, device, [interval(NOON + HOUR, NOON + 2 * HOUR, 5)])
    await session.expect("alert", device=device)
    message = await session.expect("message", kind="alert")
    conversation = alice.api.post("/support").json()["id"]
    assert message["conversation"] == conversation and message["seq"] == 2
    assert len(messages(newcomer, conversation)["items"]) == 2
