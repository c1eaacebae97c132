"""RFC 9110 and 9112: requests that come in pieces and in pipelines. (What is refused and what is understood, byte for byte,
stands in HTTP.md, which test_http_rules.py plays.)"""

import socket

import pytest

from harness.raw import RawConnection
from harness.server import ADMIN_PASSWORD

LOGIN = b'{"username": "admin", "password": "%s"}' % ADMIN_PASSWORD.encode()
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"


def posting(*headers: bytes) -> bytes:
    return POST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def test_a_request_byte_by_byte_is_served(server):
    with RawConnection(server) as connection:
        for byte in posting(b"Content-Length: %d" % len(LOGIN)) + LOGIN:
            connection.send(bytes([byte]))
        assert connection.response().status == 200


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_chunked_body_is_taken_in_any_pieces(server, pieces):
    chunks = [LOGIN[start : start + pieces] for start in range(0, len(LOGIN), pieces)]
    body = b"".join(b'%X;name="value"\r\n%s\r\n' % (len(chunk), chunk) for chunk in chunks)
    with RawConnection(server) as connection:
        connection.send(CHUNKED + body + b"000\r\nTrailer: kept out\r\n\r\n" + GET + b"\r\n")
        assert connection.response().status == 200
        assert connection.response().status == 200


def test_pipelined_requests_are_answered_in_their_order(server):
    login = posting(b"Content-Length: %d" % len(LOGIN)) + LOGIN
    with RawConnection(server) as connection:
        connection.send(
            GET
            + b"\r\n"
            + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
            + login
            + b"GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\n\r\n"
            + b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"
            + GET
            + b"Connection: close\r\n\r\n"
            + SMUGGLED
        )
        methods = ["GET", "GET", "POST", "GET", "HEAD", "GET"]
        assert [connection.response(method).status for method in methods] == [200, 404, 200, 401, 200, 200]
        assert connection.rest() == b"", "nothing after `Connection: close`"


def test_five_hundred_pipelined_requests_are_all_answered(server):
    with RawConnection(server) as connection:
        connection.send((GET + b"\r\n") * 500)
        assert {connection.response().status for _ in range(500)} == {200}


def test_a_peer_that_has_sent_all_still_gets_its_answers(server):
    with RawConnection(server) as connection:
        connection.send((GET + b"\r\n") * 3)
        connection.socket.shutdown(socket.SHUT_WR)
        assert [connection.response().status for _ in range(3)] == [200] * 3


def test_head_is_get_without_the_body(server):
    with RawConnection(server) as connection:
        connection.send(GET + b"\r\n")
        full = connection.response()
        connection.send(b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
        head = connection.response("HEAD")
        assert head.status == 200
        for name in ("content-length", "content-type"):
            assert head.headers.get(name) == full.headers.get(name)
        assert connection.response().body == full.body


def test_expect_continue_is_answered_before_the_body(server):
    with RawConnection(server) as connection:
        connection.send(posting(b"Expect: 100-continue", b"Content-Length: %d" % len(LOGIN)))
        assert connection.response().status == 100
        connection.send(LOGIN)
        assert connection.response().status == 200


def test_expect_continue_is_refused_without_a_100_when_the_body_is_too_large(server):
    with RawConnection(server) as connection:
        connection.send(posting(b"Expect: 100-continue", b"Content-Length: 2000000"))
        assert connection.response().status == 413


def test_a_body_that_came_at_once_needs_no_100(server):
    with RawConnection(server) as connection:
        connection.send(posting(b"Expect: 100-continue", b"Content-Length: %d" % len(LOGIN)) + LOGIN)
        statuses = [connection.response().status]
        while statuses[-1] == 100:
            statuses.append(connection.response().status)
        assert statuses in ([200], [100, 200])
