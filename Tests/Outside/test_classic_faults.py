"""Thirteen faults that servers of this kind have had, each looked for."""

import asyncio
from datetime import timedelta

from harness.api import admin as log_in
from harness.api import (
    create_user, direct, every_message, fresh_key, group, messages, post_message, problem_of)
from harness.energy import COUNTER, at, consumption, counts, create_device, interval, point, rfc3339, send, values

NOON = at("2026-02-03T12:00")
HOUR = timedelta(hours=1)


async def test_1_a_second_tab_does_not_end_the_first(connect, alice, bob):
    first, second = await connect(alice), await connect(alice)
    his = await connect(bob)
    conversation = direct(alice, bob)
    await his.send(conversation, "to both")
    await first.expect("message", text="to both")
    await second.expect("message", text="to both")
    await second.close()
    await his.send(conversation, "to the one that is left")
    await first.expect("message", text="to the one that is left")


async def test_2_the_sender_is_the_tokens_user_whatever_the_body_says(connect, alice, bob):
    conversation = direct(alice, bob)
    his, hers = await connect(bob), await connect(alice)
    await hers.ok("send", conversation=conversation, key=fresh_key(), text="over the socket", sender=bob.id, user=bob.id)
    assert (await his.expect("message", text="over the socket"))["sender"] == alice.id
    body = {"text": "over REST", "key": fresh_key(), "sender": bob.id, "sender_id": bob.id, "timestamp": "2020-01-01T00:00:00Z"}
    assert alice.api.post(f"/conversations/{conversation}/messages", body).json()["sender"] == alice.id
    assert {message["sender"] for message in every_message(alice, conversation)} == {alice.id}


async def test_3_what_is_sent_comes_back_as_it_was(connect, administrator, alice, bob):
    nasty = '"},{"type":"ok","id":"1"}\\ \u2028 </script><!-- \u202e 👩‍👩‍👧 \t{{7*7}} %s ${x} \' OR 1=1 --'
    conversation = group(alice, bob, title=nasty[:60].replace("\t", " "))
    his = await connect(bob)
    post_message(alice, conversation, nasty)
    assert (await his.expect("message"))["text"] == nasty
    assert messages(bob, conversation)["items"][0]["text"] == nasty
    device = create_device(administrator, bob, name=nasty.replace("\t", " ")[:90], max_hourly_kwh=1)
    send(administrator, device, [interval(NOON, NOON + HOUR, 2)])
    assert nasty.replace("\t", " ")[:90] in (await his.expect("message", kind="alert"))["text"]


async def test_4_nobody_reads_the_conversations_of_others(connect, alice, bob, person):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "between us")
    eve = person("eve")
    session = await connect(eve)
    for path in ("", "/messages", "/messages?after_seq=0"):
        problem_of(eve.api.get(f"/conversations/{conversation}{path}"), 404, "not-found")
    await session.problem("history", "not-found", conversation=conversation, after_seq=0, limit=10)
    await session.problem("send", "not-found", conversation=conversation, key="k", text="let me in")
    assert eve.api.items("/conversations") == []


async def test_5_each_member_has_a_read_marker_of_its_own(alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    for n in range(3):
        post_message(alice, conversation, f"{n}")
    post_message(bob, conversation, "mine")

    def unread(user):
        return user.api.get(f"/conversations/{conversation}").json()["unread"]

    assert (unread(alice), unread(bob), unread(carol)) == (1, 3, 4)


def test_6_an_alert_is_not_sent_at_every_reading(administrator, alice):
    device = create_device(administrator, alice, max_hourly_kwh=1)
    for n in range(30):
        send(administrator, device, [interval(NOON + n * timedelta(minutes=2), NOON + (n + 1) * timedelta(minutes=2), 0.2)])
    assert len([one for one in alice.api.items("/alerts") if one["device_id"] == device]) == 1


def test_7_six_readings_are_not_an_hour(administrator):
    device = create_device(administrator, max_hourly_kwh=5)
    # Six readings, but of six hours, and of ten minutes.
    send(administrator, device, [interval(NOON + n * HOUR, NOON + (n + 1) * HOUR, 4) for n in range(6)])
    assert values(consumption(administrator, device, NOON, NOON + 6 * HOUR)) == [4] * 6
    later = NOON + 24 * HOUR
    send(administrator, device, [interval(later + n * timedelta(seconds=100), later + (n + 1) * timedelta(seconds=100), 0.5)
                                 for n in range(6)])
    [hour] = consumption(administrator, device, later, later + HOUR)
    assert (hour["value"], hour["coverage"]) == (3, 0.166666)
    assert [one for one in administrator.api.items("/alerts") if one["device_id"] == device] == []


def test_8_the_same_hour_of_two_days_is_two_hours(administrator):
    device = create_device(administrator, max_hourly_kwh=5)
    send(administrator, device, [interval(NOON + day * 24 * HOUR, NOON + day * 24 * HOUR + HOUR, 3) for day in range(3)])
    items = consumption(administrator, device, NOON, NOON + 72 * HOUR)
    assert len(items) == 72 and [value for value in values(items) if value] == [3, 3, 3]
    assert [one for one in administrator.api.items("/alerts") if one["device_id"] == device] == []


def test_9_times_are_times_and_no_numbers(administrator):
    device = create_device(administrator)
    stamp = int(NOON.timestamp())
    report = send(administrator, device, [
        {"timestamp": stamp, "value": 1}, {"timestamp": stamp * 1000, "value": 1}, {"timestamp": str(stamp), "value": 1},
        {"timestamp": rfc3339(NOON), "value": 1}, {"timestamp": "2026-02-03T13:00:00.0004+00:00", "value": 1}])
    assert counts(report) == (2, 0, 0, 3)
    assert [one["end"] for one in administrator.api.items(f"/devices/{device}/measurements")] == [
        rfc3339(NOON), "2026-02-03T13:00:00.000Z"]


def test_10_a_repeated_reading_counts_once(administrator):
    device = create_device(administrator)
    for _ in range(3):
        send(administrator, device, [interval(NOON, NOON + HOUR, 1)] * 3)
    # The same instant, written otherwise.
    send(administrator, device, {"start": "2026-02-03T13:00:00+01:00", "end": "2026-02-03T14:00:00+01:00", "value": 1.0})
    [hour] = consumption(administrator, device, NOON, NOON + HOUR)
    assert (hour["value"], hour["coverage"], hour["revision"]) == (1, 1, 4)


def test_11_the_servers_own_zone_decides_nothing(serve):
    seen = []
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles", "UTC"):
        boss = log_in(serve(env={"TZ": zone}))
        device = create_device(boss, timezone="Europe/Berlin", metrics=COUNTER, max_hourly_kwh=1)
        send(boss, device, [point(at("2026-03-28T20:00") + n * HOUR, n * 1.5) for n in range(10)])
        seen.append((consumption(boss, device, "2026-03-28", "2026-03-30"),
                     [(one["start"], one["value"]) for one in boss.api.items("/alerts")],
                     boss.api.get(f"/devices/{device}/consumption?granularity=day&from=2026-03-01").json()["items"][:25]))
    assert seen[0] == seen[1] == seen[2]


def test_12_a_password_or_a_token_in_a_url_is_not_taken(server, administrator, anyone):
    ann = create_user(administrator)
    query = f"?username={ann.username}&password=correct+horse+battery"
    assert anyone.post("/auth/login" + query).status_code in (400, 415, 422)
    assert anyone.get("/users/me?access_token=" + ann.token).status_code == 401
    assert anyone.get("/users/me?token=" + ann.token).status_code == 401
    log = server.log.read_text()
    assert "correct" not in log and ann.token not in log


async def test_13_what_happened_while_the_user_was_away_is_there_when_it_comes_back(connect, administrator, alice, bob):
    conversation = direct(alice, bob)
    session = await connect(alice)
    post_message(bob, conversation, "first")
    last = (await session.expect("message", text="first"))["seq"]
    await session.close()
    for n in range(20):
        post_message(bob, conversation, f"away {n}")
    device = create_device(administrator, alice, max_hourly_kwh=1)
    send(administrator, device, [interval(NOON, NOON + HOUR, 2)])
    await asyncio.sleep(0)
    assert [one["text"] for one in every_message(alice, conversation, last)] == [f"away {n}" for n in range(20)]
    assert [one["device_id"] for one in alice.api.items("/alerts")] == [device]
    assert alice.api.post("/support").json()["unread"] == 1
    assert {one["id"]: one["unread"] for one in alice.api.items("/conversations")}[conversation] == 21
