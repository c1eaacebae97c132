"""Contract §2: what every resource has in common, and logging in."""

import base64
import json

import pytest

from harness.api import INVALID, PASSWORD, Api, pointers, problem_of
from harness.names import name
from harness.raw import RawConnection

# Health


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_healthy_server_says_200(server, anyone, path):
    assert anyone.get(server.url + path).status_code == 200


def test_version_is_an_object_with_the_version(server, anyone):
    assert anyone.get(server.url + "/version").json()["version"]


# Errors


@pytest.mark.parametrize("path", ["/nothing", "/users/me/shoes", "/conversations/c1/messages/1/2"])
def test_an_unknown_path_is_404(alice, path):
    problem_of(alice.api.get(path), 404, "not-found")


def test_an_unknown_path_outside_the_base_is_404(server, anyone):
    problem_of(anyone.get(server.url + "/no/such/page"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/auth/login", {"POST"}),
        ("DELETE", "/auth/login", {"POST"}),
        ("PUT", "/users", {"GET", "POST"}),
        ("DELETE", "/conversations", {"GET", "POST"}),
        ("PUT", "/conversations/c1/messages", {"GET", "POST"}),
    ],
)
def test_a_wrong_method_is_405_with_allow(alice, method, path, allowed):
    answer = alice.api.request(method, path)
    problem_of(answer, 405)
    assert allowed <= {name.strip() for name in answer.headers["Allow"].split(",")}


def test_a_wrong_method_outside_the_base_is_405(server, anyone):
    answer = anyone.request("POST", server.url + "/livez")
    problem_of(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_a_wrong_media_type_is_415(anyone):
    body = json.dumps({"username": "admin", "password": "whatever"})
    problem_of(anyone.post("/auth/login", data=body, headers={"Content-Type": "text/plain"}), 415)


def test_json_with_a_charset_is_taken(anyone):
    body = json.dumps({"username": "nobody", "password": "whatever"})
    content_type = "Application/JSON; charset=utf-8"
    problem_of(anyone.post("/auth/login", data=body, headers={"Content-Type": content_type}), 401)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{]",
        b'{"username": "a",}',
        b'{"username": "\xff"}',
        b'{"username": "a\x00b"}',
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "mismatched", "trailing-comma", "not-utf8", "nul", "deep"],
)
def test_a_malformed_body_is_400(anyone, body):
    problem_of(anyone.post("/auth/login", data=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null"])
def test_a_body_that_is_no_object_is_refused(anyone, body):
    problem_of(anyone.post("/auth/login", data=body, headers={"Content-Type": "application/json"}), INVALID)


def test_a_body_over_the_limit_is_413(anyone):
    body = json.dumps({"username": "x" * (1 << 20), "password": "whatever"})
    problem_of(anyone.post("/auth/login", data=body, headers={"Content-Type": "application/json"}), 413)


def test_a_length_over_the_limit_is_413_before_the_body_comes(server):
    with RawConnection(server) as connection:
        connection.send(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2000000\r\n\r\n"
        )
        assert connection.response().status == 413


def test_a_chunked_body_over_the_limit_is_413(server):
    with RawConnection(server) as connection:
        connection.send(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(17):
            connection.send(chunk)
        assert connection.response().status == 413


# Log-in


def test_log_in_gives_tokens_and_the_user(alice):
    answer = alice.api.login(alice.username, alice.password)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) >= {"access_token", "token_type", "expires_in", "refresh_token", "user"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 15 * 60
    assert body["refresh_token"] and body["refresh_token"] != body["access_token"]
    assert body["user"]["id"] == alice.id
    assert body["user"]["username"] == alice.username
    assert "password" not in answer.text


def test_log_in_may_not_be_cached(alice):
    answer = alice.api.login(alice.username, alice.password)
    assert "no-store" in answer.headers["Cache-Control"]


def test_log_in_does_not_care_for_case_in_the_name(alice):
    assert alice.api.login(alice.username.upper(), alice.password).json()["user"]["id"] == alice.id


def test_two_log_ins_give_different_tokens(alice):
    one, other = (alice.api.login(alice.username, alice.password).json() for _ in range(2))
    assert one["access_token"] != other["access_token"]
    assert one["refresh_token"] != other["refresh_token"]


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(anyone, alice):
    wrong = anyone.login(alice.username, "not her password")
    unknown = anyone.login("nobody-of-that-name", "not her password")
    assert problem_of(wrong, 401, "invalid-credentials") == problem_of(unknown, 401, "invalid-credentials")
    unequal = {"Date", "X-Request-Id"}
    assert {name: value for name, value in wrong.headers.items() if name not in unequal} == {
        name: value for name, value in unknown.headers.items() if name not in unequal
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username", "password"}),
        ({"username": "x"}, {"password"}),
        ({"password": PASSWORD}, {"username"}),
        ({"username": 7, "password": PASSWORD}, {"username"}),
        ({"username": "x", "password": None}, {"password"}),
    ],
    ids=name,
)
def test_log_in_names_the_fields_that_are_missing_or_of_a_wrong_type(anyone, body, fields):
    problem = problem_of(anyone.post("/auth/login", body), INVALID, "validation")
    assert pointers(problem) & fields, problem


# Tokens


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def parts(token) -> tuple:
    header, payload, signature = token.split(".")
    return *(json.loads(base64.urlsafe_b64decode(text + "==")) for text in (header, payload)), signature


def test_the_token_is_a_jwt_with_the_agreed_claims(alice):
    header, payload, _ = parts(alice.token)
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "HS256"
    assert set(payload) >= {"iss", "aud", "sub", "iat", "exp", "jti", "role"}
    assert payload["sub"] == alice.id
    assert payload["role"] == "client"
    assert payload["exp"] - payload["iat"] == 15 * 60


def forged(token) -> dict:
    header, payload, signature = parts(token)
    raw_header, raw_payload, _ = token.split(".")
    return {
        "empty": "",
        "rubbish": "rubbish",
        "dots": "..",
        "no signature": f"{raw_header}.{raw_payload}.",
        "algorithm none": f"{part(header | {'alg': 'none'})}.{raw_payload}.",
        "algorithm None, signed": f"{part(header | {'alg': 'None'})}.{raw_payload}.{signature}",
        "another role": f"{raw_header}.{part(payload | {'role': 'admin'})}.{signature}",
        "another user": f"{raw_header}.{part(payload | {'sub': 'u1'})}.{signature}",
        "a longer life": f"{raw_header}.{part(payload | {'exp': payload['exp'] + 1})}.{signature}",
        "a cut signature": token[:-2],
        "four parts": token + ".x",
    }


FORGERIES = forged(f"e30.{part({'exp': 0})}.x").keys()


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_token_is_401(server, alice, kind):
    answer = Api(server, forged(alice.token)[kind]).get("/users/me")
    problem_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_bad_token_is_named_invalid(server):
    answer = Api(server, "rubbish").get("/users/me")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_in_the_url_is_no_token(anyone, alice):
    problem_of(anyone.get("/users/me", params={"access_token": alice.token}), 401)


def test_the_scheme_is_read_without_case(anyone, alice):
    answer = anyone.get("/users/me", headers={"Authorization": f"bearer {alice.token}"})
    assert answer.status_code == 200


def test_another_scheme_is_401(anyone):
    answer = anyone.get("/users/me", headers={"Authorization": "Basic YWRtaW46YWRtaW4="})
    problem_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def refresh(anyone, server, token):
    return anyone.post(server.url + "/api/v1/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_is_good_once_and_a_second_use_ends_its_family(server, anyone, alice):
    def log_in():
        return anyone.login(alice.username, alice.password).json()["refresh_token"]

    first = log_in()
    second = refresh(anyone, server, first)
    assert second.status_code == 200
    assert second.headers["cache-control"] == "no-store"
    assert second.json()["refresh_token"] != first
    third = refresh(anyone, server, second.json()["refresh_token"])
    assert third.status_code == 200
    # Whoever comes with the first again has a copy, and nobody can tell who is who.
    assert refresh(anyone, server, first).status_code == 401
    assert refresh(anyone, server, third.json()["refresh_token"]).status_code == 401
    # Another log-in of the same user is another family.
    assert refresh(anyone, server, log_in()).status_code == 200


def test_an_unknown_refresh_token_is_refused(server, anyone):
    problem_of(refresh(anyone, server, "not-a-token"), 401, "invalid-credentials")
