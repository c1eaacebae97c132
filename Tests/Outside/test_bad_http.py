"""RFC 9110 and 9112 from the hostile side: what is wrong gets one 4xx or 5xx and the end of the connection,
and whatever stands behind it is never read as a request."""

import socket

import pytest

from harness.raw import RawConnection
from harness.server import ADMIN_PASSWORD

LOGIN = b'{"username": "admin", "password": "%s"}' % ADMIN_PASSWORD.encode()
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"


def only_answer(server, request: bytes) -> int:
    """Sends the request with another one behind it; the status of the one answer before the close."""
    with RawConnection(server) as connection:
        connection.send(request + SMUGGLED)
        answer = connection.rest()
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert answer.split(b"\r\n\r\n", 1)[1], "never an empty body"
    return int(answer.split(b" ", 2)[1])


def posting(*headers: bytes) -> bytes:
    return POST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def getting(*headers: bytes) -> bytes:
    return GET + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


FRAMING = {
    "both lengths": posting(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "both lengths, the other way": posting(b"Transfer-Encoding: chunked", b"Content-Length: 5")
    + b"0\r\n\r\n",
    "two different lengths": posting(b"Content-Length: 2", b"Content-Length: 3") + b"{}",
    "a list of lengths": posting(b"Content-Length: 2, 3") + b"{}",
    "a length with a sign": posting(b"Content-Length: +2") + b"{}",
    "a negative length": posting(b"Content-Length: -2") + b"{}",
    "a hexadecimal length": posting(b"Content-Length: 0x2") + b"{}",
    "a length with a blank in it": posting(b"Content-Length: 1 2") + b"{}",
    "no length in a length": posting(b"Content-Length:") + b"{}",
    "a space before the colon": posting(b"Content-Length : 2") + b"{}",
    "an encoding with a space before the colon": posting(b"Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "a folded line": posting(b"Transfer-Encoding:\r\n chunked") + b"0\r\n\r\n",
    "chunked in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
}
ENCODING = {
    "an unknown encoding": posting(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked not last": posting(b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "chunked twice": posting(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "chunked twice in two lines": posting(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    + b"0\r\n\r\n",
    "an encoding and a second line": posting(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x")
    + b"0\r\n\r\n",
    "a vertical tab": posting(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "a quoted encoding": posting(b'Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
}
SYNTAX = {
    "bare LF everywhere": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "bare LF after the request line": b"GET /livez HTTP/1.1\nHost: x\r\n\r\n",
    "bare LF after a field": b"GET /livez HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare LF at the end": b"GET /livez HTTP/1.1\r\nHost: x\r\n\n",
    "bare CR in a value": getting(b"A: b\rc"),
    "bare CR before a field": getting(b"A: b\rTransfer-Encoding: chunked"),
    "NUL in a value": getting(b"A: b\x00c"),
    "a folded value": getting(b"A: b", b" c"),
    "a field without a colon": getting(b"no colon here"),
    "a field without a name": getting(b": value"),
    "a name with a space": getting(b"a name: value"),
    "a name with a byte above 127": getting(b"n\xc3\xa4me: value"),
    "a space before the first field": b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",
    "no Host": b"GET /livez HTTP/1.1\r\n\r\n",
    "Host twice": getting(b"Host: x"),
    "Host twice, different": getting(b"Host: y"),
    "a Host that is none": b"GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n",
    "two spaces in the request line": b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab in the request line": b"GET\t/livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in the target": b"GET /liv ez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a control character in the target": b"GET /liv\x01ez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target without a slash": b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /livez\r\nHost: x\r\n\r\n",
    "a version in small letters": b"GET /livez http/1.1\r\nHost: x\r\n\r\n",
    "a version with more digits": b"GET /livez HTTP/1.10\r\nHost: x\r\n\r\n",
    "a method with a brace": b"G{T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS on the plain port": bytes.fromhex("16030100a5010000a10303") + b"\x00" * 160,
}
CHUNKS = {
    "a size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "an empty size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with a sign": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a blank before the size": CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n",
    "bare LF after the size": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "data longer than its size": CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    "no line end after the data": CHUNKED + b"2\r\n{}0\r\n\r\n",
    "bare LF after the data": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "a bare CR in an extension": CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "bare LF at the end": CHUNKED + b"2\r\n{}\r\n0\r\n\n",
    "a broken trailer": CHUNKED + b"2\r\n{}\r\n0\r\nno colon\r\n\r\n",
}


@pytest.mark.parametrize("name", FRAMING)
def test_a_body_of_unclear_length_is_400(server, name):
    assert only_answer(server, FRAMING[name]) == 400


@pytest.mark.parametrize("name", ENCODING)
def test_an_unknown_transfer_encoding_is_400_or_501(server, name):
    assert only_answer(server, ENCODING[name]) in (400, 501)


@pytest.mark.parametrize("name", SYNTAX)
def test_a_head_of_wrong_syntax_is_400(server, name):
    assert only_answer(server, SYNTAX[name]) == 400


@pytest.mark.parametrize("name", CHUNKS)
def test_a_broken_chunk_is_400(server, name):
    assert only_answer(server, CHUNKS[name]) == 400


@pytest.mark.parametrize(
    "request_bytes",
    [
        CHUNKED + b"F" * 17 + b"\r\n",
        CHUNKED + b"7FFFFFFFFFFFFFFF\r\n",
        posting(b"Content-Length: " + b"9" * 30),
        posting(b"Content-Length: 9223372036854775807"),
    ],
    ids=["chunk of 2^68", "chunk of 2^63-1", "length of 10^30", "length of 2^63-1"],
)
def test_a_length_beyond_all_measure_is_400_or_413(server, request_bytes):
    assert only_answer(server, request_bytes) in (400, 413)


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0"])
def test_another_http_version_is_505(server, version):
    assert only_answer(server, b"GET /livez %s\r\nHost: x\r\n\r\n" % version) in (400, 505)


def test_the_preface_of_http_2_is_refused(server):
    assert only_answer(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") in (400, 505)


@pytest.mark.parametrize(
    "head",
    [
        getting(b"A: " + b"x" * 20_000),
        getting(*[b"Name-%d: %s" % (n, b"x" * 50) for n in range(400)]),
        GET + b"A: " + b"x" * 200_000,
        getting(b"n" * 20_000 + b": x"),
    ],
    ids=["a long field", "many fields", "a field without an end", "a long name"],
)
def test_an_oversize_head_is_431(server, head):
    assert only_answer(server, head) == 431


@pytest.mark.parametrize("length", [17_000, 200_000])
def test_a_long_target_is_414(server, length):
    assert only_answer(server, b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * length)) == 414


@pytest.mark.parametrize("method", [b"BREW", b"get", b"CONNECT", b"TRACE"])
def test_an_unknown_method_is_405_or_501(server, method):
    with RawConnection(server) as connection:
        connection.send(method + b" /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.response().status in (400, 405, 501)


@pytest.mark.parametrize(
    "path",
    [
        b"/../livez",
        b"/%2e%2e/livez",
        b"//livez",
        b"/livez/",
        b"/livez%00",
        b"/livez%",
        b"/livez%zz",
        b"/%ff",
        b"/\xff",
    ],
)
def test_an_odd_path_finds_nothing(server, path):
    with RawConnection(server) as connection:
        connection.send(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.response().status in (400, 404)


def test_a_slow_head_is_408_or_closed(serve):
    running = serve("--header-timeout", "1s")
    with RawConnection(running) as connection:
        connection.send(GET)
        answer = connection.rest()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_without_progress_is_408_or_closed(serve):
    running = serve("--body-timeout", "1s")
    with RawConnection(running) as connection:
        connection.send(posting(b"Content-Length: 100") + b"{")
        answer = connection.rest()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed(serve):
    running = serve("--idle-timeout", "1s")
    with RawConnection(running) as connection:
        connection.send(GET + b"\r\n")
        assert connection.response().status == 200
        assert connection.rest() == b""


# What is right


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


def test_an_empty_line_before_a_request_is_passed_over(server):
    with RawConnection(server) as connection:
        connection.send(b"\r\n" + GET + b"\r\n")
        assert connection.response().status == 200


def test_a_target_in_absolute_form_is_taken(server):
    with RawConnection(server) as connection:
        connection.send(b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.response().status == 200


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"GET /livez HTTP/1.0\r\n\r\n", False),
        (b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", None),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Foo, CLOSE\r\n\r\n", False),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", True),
    ],
    ids=["1.0", "1.0 keep-alive", "close", "close in a list", "1.1"],
)
def test_the_connection_stays_or_ends_as_agreed(server, head, stays):
    with RawConnection(server) as connection:
        connection.send(head)
        response = connection.response()
        assert response.status == 200
        if stays is None:  # HTTP/1.0 keep-alive is optional; the answer tells
            stays = response.headers.get("connection", "").lower() == "keep-alive"
        if stays:
            connection.send(head)
            assert connection.response().status == 200
        else:
            assert response.headers.get("connection", "close").lower() == "close"
            assert connection.rest() == b""
