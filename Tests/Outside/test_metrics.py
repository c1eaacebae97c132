"""`/metrics`: what the server counts, as a scraper reads it; and it adds up."""

import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from harness.api import admin, fresh_key, group, post_message
from harness.chat import resume

# Of a batch; `parse` is a tick's.
STAGES = ("queue", "commit", "wake", "fanout", "write")


def scrape(server) -> dict:
    answer = requests.get(server.url + "/metrics", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_every_message_is_counted_once(server, connect, person):
    alice, bob, carol = (person(name) for name in ("alice", "bob", "carol"))
    conversation = group(alice, bob, carol)
    hers, *others = [await connect(user) for user in (alice, alice, bob, bob, carol)]
    for client in (hers, *others):
        await client.settle()
    position = hers.hello["position"]
    before = scrape(server)

    keys = [fresh_key() for _ in range(20)]
    for key in keys:
        await hers.send(conversation, "new", key=key)
    for key in keys[:5]:
        assert (await hers.send(conversation, "new", key=key))["duplicate"]
    assert post_message(alice, conversation, "new", key=keys[5])["seq"] == 6, "over REST, and again a duplicate"
    assert (await hers.request("send", conversation="c999999999", text="to nobody", key=fresh_key()))["type"] == "error"
    for other in others:
        await other.expect("message", seq=20)

    after = scrape(server)
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    assert grown["wattloop_messages_accepted_total",] == 27
    outcomes = {outcome: grown["wattloop_messages_total", outcome] for outcome in ("stored", "duplicate", "refused", "failed")}
    assert outcomes == {"stored": 20, "duplicate": 6, "refused": 1, "failed": 0}
    assert grown["wattloop_message_deliveries_total",] == 20 * len(others)
    assert grown["wattloop_events_replayed_total",] == 0
    assert after["wattloop_writer_waiting",] == 0
    [batches] = {grown["wattloop_stage_seconds_count", stage] for stage in STAGES}
    assert 1 <= batches <= grown["wattloop_stage_seconds_count", "parse"] <= 27
    assert all(grown["wattloop_stage_seconds_sum", stage] > 0 for stage in (*STAGES, "parse"))

    late = await connect(carol)
    events, _ = await resume(late, position)
    replayed = scrape(server)["wattloop_events_replayed_total",] - after["wattloop_events_replayed_total",]
    assert replayed == len(events) >= 20


async def test_connections_and_answers_are_counted(serve, connect):
    running = serve()
    user = admin(running)
    before = scrape(running)
    await connect(user)
    assert requests.get(running.url + "/livez", timeout=5).status_code == 200
    assert requests.get(running.url + "/no/such/page", timeout=5).status_code == 404
    during = scrape(running)
    assert during["wattloop_websockets",] == before["wattloop_websockets",] + 1
    # The socket, two requests, and this scrape itself.
    assert during["wattloop_connections_opened_total",] == before["wattloop_connections_opened_total",] + 4
    grown = {status: during["wattloop_http_answers_total", status] - before["wattloop_http_answers_total", status]
             for status in ("1xx", "2xx", "4xx", "5xx")}
    assert grown == {"1xx": 1, "2xx": 2, "4xx": 1, "5xx": 0}  # the scrape before is among the 2xx
    assert during["process_resident_memory_bytes",] > 1_000_000
    assert during["process_cpu_seconds_total",] >= before["process_cpu_seconds_total",]
