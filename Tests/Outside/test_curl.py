"""The first steps of a stranger with `curl`."""

import json
import shutil
import subprocess

import pytest

from harness.api import PASSWORD, direct
from harness.server import ADMIN_PASSWORD

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(*arguments) -> tuple:
    """(status, body)"""
    done = subprocess.run(
        [
            "curl",
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "10",
            "--write-out",
            "\n%{http_code}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), body


def bearer(user) -> tuple:
    return "--header", f"Authorization: Bearer {user.token}"


def test_curl_logs_in_and_asks_who_it_is(server):
    body = json.dumps({"username": "admin", "password": ADMIN_PASSWORD})
    status, answer = curl(server.api_url + "/auth/login", "--json", body)
    assert status == 200
    token = json.loads(answer)["access_token"]
    status, answer = curl(server.api_url + "/users/me", "--oauth2-bearer", token)
    assert (status, json.loads(answer)["username"]) == (200, "admin")


def test_curl_posts_a_body_with_expect_continue(server, alice, bob):
    conversation = direct(alice, bob)
    body = json.dumps({"text": "x" * 8000, "key": "curl"})
    status, answer = curl(
        f"{server.api_url}/conversations/{conversation}/messages",
        *bearer(alice),
        "--json",
        body,
        "--header",
        "Expect: 100-continue",
    )
    assert (status, json.loads(answer)["seq"]) == (201, 1)


def test_curl_posts_a_chunked_body(server):
    body = json.dumps({"username": "admin", "password": ADMIN_PASSWORD})
    status, _ = curl(server.api_url + "/auth/login", "--json", body, "--header", "Transfer-Encoding: chunked")
    assert status == 200


def test_curl_asks_for_the_head_alone(server):
    status, head = curl(server.url + "/livez", "--head")
    assert status == 200
    assert head.lower().startswith("http/1.1 200")


def test_curl_takes_two_answers_on_one_connection(server):
    done = subprocess.run(
        [
            "curl",
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "10",
            "--write-out",
            "%{num_connects}\n",
            "--output",
            "/dev/null",
            server.url + "/livez",
            "--output",
            "/dev/null",
            server.url + "/livez",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "0"]


def test_curl_speaks_http_1_0(server):
    assert curl("--http1.0", server.url + "/livez")[0] == 200


def test_curl_without_a_token_is_told_why(server):
    status, answer = curl(server.api_url + "/users/me")
    assert status == 401
    assert json.loads(answer)["status"] == 401


def test_curl_with_a_form_instead_of_json_is_415(server):
    status, _ = curl(server.api_url + "/auth/login", "--data", f"username=admin&password={PASSWORD}")
    assert status == 415
