"""HTTP.md holds what it says: each of its rows is sent to the running server."""

import json
import re
from email.utils import parsedate_to_datetime

import pytest

from harness.raw import RawConnection
from harness.rules import rules

REFUSED, UNDERSTOOD = rules("Refused"), rules("Understood")
BEHIND = b"GET /version HTTP/1.1\r\nHost: smuggled\r\n\r\n"
BEFORE = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"


def by_name(rows) -> dict:
    return {"argvalues": rows, "ids": [row.name for row in rows]}


def check_answer(answer, status):
    """What every answer has, whatever it says (RFC 9110 §6.6.1, §15; RFC 9457)."""
    assert answer.status == status
    assert answer.headers["date"].endswith(" GMT") and parsedate_to_datetime(answer.headers["date"])
    assert "content-length" in answer.headers or status == 204
    assert not ("content-length" in answer.headers and "transfer-encoding" in answer.headers)
    if status == 405:
        assert "GET" in answer.headers["allow"]
    if status == 426:
        assert answer.headers["upgrade"] == "websocket" and "upgrade" in answer.headers["connection"]
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


def check_refusal(connection, rule, to="GET"):
    """One answer that says why, and the end."""
    status, reason = rule.outcome
    answer = connection.response(to)
    check_answer(answer, int(status))
    assert answer.headers["connection"] == "close"
    if to != "HEAD":
        assert json.loads(answer.body)["detail"] == reason
    assert connection.rest() == b"", "what stood behind it was read as a request"


@pytest.mark.parametrize("rule", **by_name(REFUSED))
def test_it_is_refused_and_nothing_behind_it_is_read(server, rule):
    with RawConnection(server) as connection:
        connection.send(rule.sent + BEHIND)
        check_refusal(connection, rule)


@pytest.mark.parametrize("rule", **by_name(REFUSED))
def test_it_is_refused_in_its_place_in_the_pipeline(server, administrator, rule):
    """Behind a request that a worker answers, and one that is answered at once."""
    token = administrator.token.encode()
    slow = b"GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n" % token
    with RawConnection(server) as connection:
        connection.send(slow + BEFORE + rule.sent + BEHIND)
        assert b'"username":"admin"' in connection.response().body
        assert connection.response().status == 200
        check_refusal(connection, rule)


@pytest.mark.parametrize("rule", **by_name([rule for rule in REFUSED if rule.sent.startswith(b"GET ")]))
def test_to_head_it_is_refused_without_content(server, rule):
    with RawConnection(server) as connection:
        connection.send(rule.sent.replace(b"GET", b"HEAD", 1) + BEHIND)
        check_refusal(connection, rule, "HEAD")


@pytest.mark.parametrize("rule", **by_name([rule for rule in REFUSED if len(rule.sent) < 1000]))
def test_it_is_refused_byte_by_byte(server, rule):
    with RawConnection(server) as connection:
        for byte in rule.sent:
            connection.send(bytes([byte]))
        connection.send(BEHIND)
        check_refusal(connection, rule)


def method(rule) -> str:
    return re.match(rb"(?:\r\n)?(\S+)", rule.sent)[1].decode()


def check_understood(connection, rule, may_be_told_to_continue=False):
    """Its answer, and then either that of the request behind it or the end."""
    status, fate = rule.outcome
    answer = connection.response(method(rule))
    if may_be_told_to_continue and answer.status == 100:
        answer = connection.response(method(rule))
    check_answer(answer, int(status))
    assert (fate == "closed") == ("close" in answer.headers.get("connection", "").split(", "))
    if fate == "open":
        assert connection.response().status == 200
    else:
        assert connection.rest() == b"", "after the last answer nothing is read"


@pytest.mark.parametrize("rule", **by_name(UNDERSTOOD))
def test_it_is_answered_and_the_connection_is_as_it_says(server, rule):
    with RawConnection(server) as connection:
        connection.send(rule.sent + BEHIND)
        check_understood(connection, rule)


@pytest.mark.parametrize("rule", **by_name([rule for rule in UNDERSTOOD if len(rule.sent) < 1000]))
def test_it_is_answered_byte_by_byte(server, rule):
    with RawConnection(server) as connection:
        for byte in rule.sent + BEHIND:
            connection.send(bytes([byte]))
        # RFC 9110 §10.1.1: it is, when the server has read the head before the content was sent.
        check_understood(connection, rule, may_be_told_to_continue=b"expect:" in rule.sent.lower())


def test_http_1_0_is_told_that_its_connection_stays(server):
    """RFC 9112 §9.3: an HTTP/1.0 client takes it for closed unless it is told."""
    with RawConnection(server) as connection:
        connection.send(b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert connection.response().headers["connection"] == "keep-alive"


def test_an_answer_is_of_http_1_1_whatever_was_asked(server):
    """RFC 9110 §2.5: the highest version that the server has of the client's major version."""
    for version in (b"1.0", b"1.1", b"1.9"):
        with RawConnection(server) as connection:
            connection.send(b"GET /livez HTTP/%s\r\nHost: a\r\nConnection: close\r\n\r\n" % version)
            assert connection.rest().startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_http_1_0_client_gets_a_streamed_answer_without_chunks(server, administrator):
    """RFC 9112 §6.1: it does not know them; the connection's end is the content's."""
    device = administrator.api.post("/devices", {"name": "old"}).json()["id"]
    request = (
        f"GET /api/v1/devices/{device}/measurements HTTP/1.0\r\nAuthorization: Bearer {administrator.token}\r\n"
        "Accept: text/csv\r\nConnection: keep-alive\r\n\r\n"
    )
    with RawConnection(server) as connection:
        connection.send(request.encode())
        head, content = connection.rest().split(b"\r\n\r\n", 1)
    assert b"transfer-encoding" not in head.lower() and b"connection: close" in head.lower()
    assert content.splitlines() == [b"device_id,metric,start,end,value"]


def test_an_interim_answer_comes_only_where_it_is_waited_for(server):
    """RFC 9110 §10.1.1: 100 before the content, and one final answer; never in HTTP/1.0, where nobody knows it."""
    login = (
        b"POST /api/v1/auth/login HTTP/%s\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    with RawConnection(server) as connection:
        connection.send(BEFORE + login % b"1.1")
        assert [connection.response().status for _ in range(2)] == [200, 100]
        connection.send(b"{}" + BEHIND)
        assert [connection.response().status for _ in range(2)] == [422, 200]
    with RawConnection(server) as connection:
        connection.send(login % b"1.0" + b"{}")
        assert connection.response().status == 422
