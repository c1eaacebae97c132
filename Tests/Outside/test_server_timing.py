"""`Server-Timing` (W3C): where a request's time went, for a client that prefers to hear it (`Prefer`, RFC 7240)."""

import re

import pytest

from harness.api import direct, fresh_key, fresh_name, problem_of
from harness.energy import create_device
from harness.raw import RawConnection

ASK = {"Prefer": "server-timing"}
METRIC = re.compile(r"([a-z]+);dur=(\d+\.\d{3})")


def timing(answer) -> dict:
    """The metrics by name, milliseconds."""
    assert answer.headers["Preference-Applied"] == "server-timing"
    metrics = [METRIC.fullmatch(metric.strip()) for metric in answer.headers["Server-Timing"].split(",")]
    times = {metric[1]: float(metric[2]) for metric in metrics}
    assert len(times) == len(metrics), "each once"
    return times


def is_told(headers) -> bool:
    told = {name.lower() for name in headers} & {"server-timing", "preference-applied"}
    assert len(told) in (0, 2)
    return bool(told)


def post(user, conversation, text, **options):
    return user.api.post(f"/conversations/{conversation}/messages", {"text": text, "key": fresh_key()}, **options)


def test_who_does_not_ask_is_told_nothing(server, anyone, alice, bob):
    answers = [
        anyone.get(server.url + "/livez"),
        anyone.get("/no/such/path"),
        alice.api.get("/users/me"),
        post(alice, direct(alice, bob), "Hello"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 201]
    assert not any(is_told(answer.headers) for answer in answers)


@pytest.mark.parametrize(
    "preferences",
    [
        "server-timing",
        "Server-Timing",
        " ,respond-async,\tserver-timing ,",
        'return="a, \\", b", server-timing',
        "server-timing; detail=all",
        "server-timing ;x",
        'server-timing = ""',
    ],
)
def test_the_preference_may_be_written_in_any_way(server, anyone, preferences):
    answer = anyone.get(server.url + "/livez", headers={"Prefer": preferences.strip(" ")})
    assert answer.status_code == 200
    assert set(timing(answer)) == {"total"}


@pytest.mark.parametrize(
    "preferences",
    [
        "",
        "server-timings",
        "server",
        "return=server-timing",
        "respond-async;server-timing",
        'x="a, server-timing, b"',
        'x="a\\", server-timing, b"',
        'x="a, server-timing',
        "server-timing=off",
        "server-timing timing",
        "server-timing=",
    ],
)
def test_what_is_another_preference_is_passed_over(server, anyone, preferences):
    answer = anyone.get(server.url + "/livez", headers={"Prefer": preferences})
    assert answer.status_code == 200
    assert not is_told(answer.headers)


def test_each_request_of_a_connection_asks_for_itself(server):
    with RawConnection(server) as connection:
        for fields, told in [
            (b"Prefer: server-timing\r\n", True),
            (b"", False),
            (b"Prefer: wait=10\r\nPREFER: server-timing\r\n", True),
            (b"Accept: a/b\r\nCookie: server-timing\r\n", False),
        ]:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
            assert is_told(connection.response().headers) == told


def test_errors_and_answers_without_content_have_their_total(server, anyone, alice, administrator):
    tag = alice.api.get("/users/me").headers["ETag"]
    answers = {
        401: anyone.get("/users/me", headers=ASK),
        403: alice.api.post("/users", {}, headers=ASK),
        404: anyone.get("/no/such/path", headers=ASK),
        405: anyone.request("DELETE", server.url + "/livez", headers=ASK),
        304: alice.api.get("/users/me", headers=ASK | {"If-None-Match": tag}),
        204: anyone.request("OPTIONS", "/users/me", headers=ASK),
        200: anyone.request("HEAD", server.url + "/livez", headers=ASK),
        422: administrator.api.post("/users", {}, headers=ASK),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert set(timing(answer)) == {"total"}, status


def test_a_message_has_waited_for_the_queue_and_the_commit(alice, bob):
    conversation = direct(alice, bob)
    for number in range(20):
        times = timing(post(alice, conversation, f"{number}", headers=ASK))
        assert set(times) == {"total", "queue", "commit"}
        assert times["commit"] > 0
        # Each is rounded by itself.
        assert times["queue"] + times["commit"] <= times["total"] + 0.002


def test_a_message_that_is_not_taken_has_waited_for_nothing(alice, bob):
    answer = post(alice, direct(alice, bob), "", headers=ASK)
    problem_of(answer, 422, "validation")
    assert set(timing(answer)) == {"total"}


def test_a_change_has_waited_for_the_queue_and_the_commit(anyone, alice, bob, administrator):
    conversation = direct(alice, bob)
    post(alice, conversation, "one")
    path = f"/conversations/{conversation}"
    answers = [
        anyone.post("/auth/login", {"username": alice.username, "password": alice.password}, headers=ASK),
        alice.api.request("PATCH", path + "/messages/1", json={"text": "two"}, headers=ASK),
        bob.api.request("PUT", path + "/read", json={"seq": 1}, headers=ASK),
        alice.api.request("DELETE", path + "/messages/1", headers=ASK),
        alice.api.get("/search", params={"q": "two"}, headers=ASK),
        administrator.api.post("/users", {"username": fresh_name(), "password": "long enough", "role": "client"}, headers=ASK),
    ]
    for answer in answers:
        assert answer.ok, answer.text
        times = timing(answer)
        assert set(times) == {"total", "queue", "commit"}, answer.request.url
        assert times["commit"] > 0
        assert times["queue"] + times["commit"] <= times["total"] + 0.002


def test_the_transactions_of_an_upload_are_added_up(administrator, alice):
    """Three thousand lines are some transactions, one behind the other."""
    device = create_device(administrator, alice)
    lines = "".join(
        f'{{"timestamp":"2026-02-03T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z","value":0.001}}\n'
        for number in range(3000)
    )
    answer = administrator.api.request(
        "POST", f"/devices/{device}/measurements", data=lines, headers=ASK | {"Content-Type": "application/x-ndjson"})
    assert answer.json()["accepted"] == 3000
    times = timing(answer)
    assert set(times) == {"total", "queue", "commit"}
    assert times["queue"] + times["commit"] <= times["total"] + 0.002


def test_an_answer_that_is_given_again_has_its_own_times(alice, bob):
    body, headers = {"kind": "group", "member_ids": [bob.id]}, ASK | {"Idempotency-Key": fresh_key()}
    first, again = [alice.api.post("/conversations", body, headers=headers) for _ in range(2)]
    assert again.json() == first.json()
    assert set(timing(first)) == set(timing(again)) == {"total", "queue", "commit"}
    plain = alice.api.post("/conversations", body, headers={"Idempotency-Key": headers["Idempotency-Key"]})
    assert plain.json() == first.json() and not is_told(plain.headers)


def test_a_streamed_answer_has_the_time_until_its_head(administrator, alice):
    device = create_device(administrator, alice)
    answer = alice.api.get(f"/devices/{device}/measurements", headers=ASK | {"Accept": "text/csv"})
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert set(timing(answer)) == {"total"}
