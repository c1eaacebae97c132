"""Contract §1: the program, its settings, its first start, its users and tokens, its end."""

import asyncio
import re
import signal
import socket
import sqlite3
import stat
import time

import pytest
import requests

from harness.api import Api, login
from harness.client import Client
from harness.raw import RawConnection
from harness.server import ADMIN_PASSWORD, SCRYPT, free_port, wattloop

pytestmark = pytest.mark.usefixtures("program")

USAGE, UNAVAILABLE, IO_ERROR = 64, 69, 74  # sysexits.h


def words(output: str) -> list:
    """What may be a password in a line for people."""
    return [word.strip("'\"`.,;:()[]") for word in re.split(r"[\s=]+", output) if len(word) >= 8]


def words_that_log_in(server, username, output) -> list:
    return [word for word in set(words(output)) if Api(server).login(username, word).status_code == 200]


def lines(output: str) -> list:
    return [line for line in output.splitlines() if line.strip()]


def serve_until_it_ends(data, *flags, env=None):
    return wattloop("serve", "--port", free_port(), "--data", data, *SCRYPT, *flags, env=env, timeout=15)


# Help and version


def test_help_names_every_command():
    done = wattloop("--help")
    assert done.returncode == 0
    for command in ("serve", "user", "token", "simulate"):
        assert command in done.stdout


def test_version_is_one_line_and_the_server_says_the_same(server):
    done = wattloop("--version")
    assert done.returncode == 0
    assert len(lines(done.stdout)) == 1
    assert requests.get(server.url + "/version", timeout=5).json()["version"] in done.stdout


# Settings


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "many"),
        ("--port", "70000"),
        ("--port", "-1"),
        ("--host", "not an address"),
        ("--heartbeat", "soon"),
        ("--heartbeat", "-1s"),
        ("--access-ttl", "15 parsecs"),
        ("--drain", "x"),
        ("--max-message", "64 bananas"),
        ("--max-connections", "few"),
        ("--rate-limit", "maybe"),
        ("--log-level", "shouting"),
        ("--log-format", "xml"),
    ],
)
def test_a_wrong_setting_ends_with_64_and_one_line_that_names_it(tmp_path, flag, value):
    done = serve_until_it_ends(tmp_path / "data", f"{flag}={value}")
    assert done.returncode == USAGE, done.stderr
    assert len(lines(done.stderr)) == 1, done.stderr
    assert flag.lstrip("-") in done.stderr.lower().replace("_", "-")
    assert done.stdout == ""


def test_a_wrong_environment_variable_ends_with_64_and_one_line(tmp_path):
    done = serve_until_it_ends(tmp_path / "data", env={"WATTLOOP_HEARTBEAT": "soon"})
    assert done.returncode == USAGE, done.stderr
    assert len(lines(done.stderr)) == 1, done.stderr
    assert "heartbeat" in done.stderr.lower()


def test_a_missing_config_file_ends_with_64_and_one_line(tmp_path):
    done = serve_until_it_ends(tmp_path / "data", "--config", tmp_path / "nowhere.json")
    assert done.returncode == USAGE, done.stderr
    assert len(lines(done.stderr)) == 1, done.stderr


@pytest.mark.parametrize("arguments", [["serve", "--no-such-flag"], ["dance"], ["token"], ["user", "add"]])
def test_a_wrong_command_line_ends_with_64(arguments):
    assert wattloop(*arguments).returncode == USAGE


def test_a_wrong_setting_leaves_no_store_behind(tmp_path):
    serve_until_it_ends(tmp_path / "data", "--heartbeat=soon")
    assert not (tmp_path / "data").exists() or not any((tmp_path / "data").iterdir())


def test_an_environment_variable_is_a_setting_and_a_flag_is_stronger(serve):
    running = serve("--heartbeat", "2s", env={"WATTLOOP_HEARTBEAT": "9s", "WATTLOOP_ACCESS_TTL": "77s"})
    person = login(running, "admin", ADMIN_PASSWORD)
    assert person.api.login("admin", ADMIN_PASSWORD).json()["expires_in"] == 77

    async def heartbeat():
        client = await Client.open(running, person.token)
        await client.close()
        return client.hello["heartbeat_ms"]

    assert asyncio.run(heartbeat()) == 2000


def test_a_port_in_use_ends_with_69(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = wattloop("serve", "--port", port, "--data", tmp_path / "data", *SCRYPT, timeout=15)
    assert done.returncode == UNAVAILABLE, done.stderr
    assert str(port) in done.stderr


# The store


def sqlite_files(data) -> list:
    return [
        path for path in data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"
    ]


def test_a_broken_store_ends_with_74(serve):
    running = serve()
    running.stop()
    stores = sqlite_files(running.data)
    assert stores
    for path in stores:
        path.write_bytes(b"This is no database. " * 400)
        for suffix in ("-wal", "-shm"):  # a whole log would heal the store
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    done = serve_until_it_ends(running.data)
    assert done.returncode == IO_ERROR, done.stderr
    assert lines(done.stderr)


def test_a_store_of_a_newer_version_ends_with_74(serve):
    running = serve()
    running.stop()
    for path in sqlite_files(running.data):
        store = sqlite3.connect(path)
        store.execute("PRAGMA user_version = 99999")
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if "grdb_migrations" in tables:
            store.execute("INSERT INTO grdb_migrations VALUES ('v99999')")
        store.commit()
        store.close()
    done = serve_until_it_ends(running.data)
    assert done.returncode == IO_ERROR, done.stderr


def test_a_data_path_that_is_a_file_ends_with_74(tmp_path):
    path = tmp_path / "data"
    path.write_text("I was here first")
    done = serve_until_it_ends(path)
    assert done.returncode == IO_ERROR, done.stderr
    assert path.read_text() == "I was here first"


def test_a_second_server_on_the_same_store_ends_with_74_and_the_first_goes_on(serve):
    running = serve()
    done = serve_until_it_ends(running.data)
    assert done.returncode == IO_ERROR, done.stderr
    assert len(lines(done.stderr)) == 1 and "in use" in done.stderr
    assert requests.get(running.url + "/readyz", timeout=5).status_code == 200


# First start


def test_the_first_start_creates_a_signing_key_that_only_the_owner_reads(serve):
    running = serve()
    keys = [path for path in running.data.rglob("*") if path.is_file() and "key" in path.name.lower()]
    assert keys, list(running.data.rglob("*"))
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size >= 32


def test_the_admin_password_comes_from_the_environment_and_is_not_printed(serve):
    running = serve(env={"WATTLOOP_ADMIN_PASSWORD": "only-for-this-test"})
    assert login(running, "admin", "only-for-this-test").role == "admin"
    assert "only-for-this-test" not in running.stderr


def test_a_generated_admin_password_is_printed_once(serve):
    # Set, but empty, is as good as not set.
    running = serve(env={"WATTLOOP_ADMIN_PASSWORD": ""})
    [password] = words_that_log_in(running, "admin", running.stderr)
    assert running.stderr.count(password) == 1
    running.stop()
    running.start()
    assert running.stderr.count(password) == 1
    assert login(running, "admin", password).role == "admin"


def test_a_later_start_does_not_change_the_admin_password(serve):
    running = serve()
    running.stop()
    running.env["WATTLOOP_ADMIN_PASSWORD"] = "another-password"
    running.start()
    assert login(running, "admin", ADMIN_PASSWORD)
    assert Api(running).login("admin", "another-password").status_code == 401


def test_no_password_stands_in_a_file(serve):
    running = serve()
    login(running, "admin", ADMIN_PASSWORD)
    running.stop()
    for path in [running.log, *running.data.rglob("*")]:
        assert not path.is_file() or ADMIN_PASSWORD.encode() not in path.read_bytes(), path


def test_tokens_outlive_a_restart(serve):
    running = serve()
    person = login(running, "admin", ADMIN_PASSWORD)
    running.stop()
    running.start()
    assert person.api.get("/users/me").status_code == 200


# Users and tokens from the command line


def test_user_add_takes_the_password_from_standard_input(serve, tmp_path):
    data = tmp_path / "cli"
    done = wattloop(
        "user", "add", "Dora", "--role", "admin", "--data", data, *SCRYPT, stdin="a password of hers\n"
    )
    assert done.returncode == 0, done.stderr
    assert "a password of hers" not in done.stdout + done.stderr
    running = serve(data=data)
    assert login(running, "dora", "a password of hers").role == "admin"
    assert Api(running).login("admin", ADMIN_PASSWORD).status_code == 401, (
        "with a user in the store, no admin is made"
    )


def test_user_add_without_a_password_prints_a_generated_one_once(serve, tmp_path):
    data = tmp_path / "cli"
    done = wattloop("user", "add", "emil", "--role", "client", "--data", data, *SCRYPT)
    assert done.returncode == 0, done.stderr
    running = serve(data=data)
    output = done.stdout + done.stderr
    [password] = words_that_log_in(running, "emil", output)
    assert output.count(password) == 1


@pytest.mark.parametrize(("name", "password"), [("no spaces", "long enough"), ("short", "short")])
def test_user_add_refuses_a_bad_name_or_password(tmp_path, name, password):
    done = wattloop(
        "user", "add", name, "--role", "client", "--data", tmp_path / "cli", *SCRYPT, stdin=password + "\n"
    )
    assert done.returncode != 0
    assert lines(done.stderr)


def test_user_add_refuses_a_taken_name_and_leaves_its_owner_alone(serve, tmp_path):
    data = tmp_path / "cli"
    add = ("user", "add", "--role", "client", "--data", data, *SCRYPT)
    assert wattloop(*add, "finn", stdin="the first password\n").returncode == 0
    assert wattloop(*add, "FINN", stdin="the second password\n").returncode != 0
    running = serve(data=data)
    assert login(running, "finn", "the first password")
    assert Api(running).login("finn", "the second password").status_code == 401


def test_load_test_users_come_with_tokens_and_are_found_again(serve, tmp_path):
    data = tmp_path / "cli"
    add = ("user", "add", "--load-test", 5, "--data", data, *SCRYPT)
    first, second = wattloop(*add), wattloop(*add)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    users = [line.split(",") for line in lines(first.stdout)]
    again = [line.split(",") for line in lines(second.stdout)]
    assert [len(user) for user in users] == [3] * 5
    assert [user[:2] for user in users] == [user[:2] for user in again]
    assert len({user[0] for user in users}) == 5
    assert all(user[1].startswith("load") for user in users)

    running = serve(data=data)
    for id, username, token in users + again:
        me = Api(running, token).get("/users/me").json()
        assert (me["id"], me["username"], me["role"]) == (id, username, "client")
    assert Api(running).login(users[0][1], "").status_code in (400, 401, 422)
    assert Api(running).login(users[0][1], "password").status_code == 401


def test_load_test_users_take_a_prefix(tmp_path):
    done = wattloop("user", "add", "--load-test", 2, "--prefix", "crowd", "--data", tmp_path / "cli", *SCRYPT)
    assert [line.split(",")[1].startswith("crowd") for line in lines(done.stdout)] == [True, True]


def test_token_prints_a_token_that_a_running_server_takes(serve):
    running = serve()
    done = wattloop("token", "admin", "--data", running.data, "--ttl", "1h")
    assert done.returncode == 0, done.stderr
    assert len(lines(done.stdout)) == 1
    assert Api(running, done.stdout.strip()).get("/users/me").json()["username"] == "admin"


def test_token_for_an_unknown_user_fails_and_prints_none(serve):
    running = serve()
    done = wattloop("token", "nobody", "--data", running.data)
    assert done.returncode != 0
    assert done.stdout == ""
    assert lines(done.stderr)


# The end


async def test_sigterm_says_goaway_to_sockets_and_exits_with_0(serve):
    running = serve()
    person = login(running, "admin", ADMIN_PASSWORD)
    clients = [await Client.open(running, person.token) for _ in range(3)]
    running.signal(signal.SIGTERM)
    for client in clients:
        goaway = await client.expect("goaway")
        assert goaway["reason"]
        assert goaway["reconnect_after_ms"] >= 0
        assert await client.closed() in (1001, 1012)
    assert await asyncio.to_thread(running.wait) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((running.host, running.port), timeout=5)


def test_sigint_ends_with_0_too(serve):
    running = serve()
    running.signal(signal.SIGINT)
    assert running.wait() == 0


def test_a_request_in_flight_is_answered_while_the_server_drains(serve):
    running = serve("--drain", "10s")
    body = b'{"username": "admin", "password": "%s"}' % ADMIN_PASSWORD.encode()
    with RawConnection(running) as connection:
        connection.send(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body[:10]
        )
        # Another request that is answered shows that the loop has seen the half one.
        assert requests.get(running.url + "/livez", timeout=5).status_code == 200
        running.signal(signal.SIGTERM)
        wait_until_it_refuses(running)
        connection.send(body[10:])
        assert connection.response().status == 200
        connection.rest()
    assert running.wait() == 0


def wait_until_it_refuses(running):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection((running.host, running.port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError("a draining server still accepts")


def test_a_draining_server_is_not_ready(serve):
    running = serve("--drain", "5s")
    get = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
    with RawConnection(running) as busy, RawConnection(running) as idle:
        busy.send(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
        idle.send(get)
        assert idle.response().status == 200
        running.signal(signal.SIGTERM)
        wait_until_it_refuses(running)
        idle.send(get)
        # A keep-alive connection is either told, or was closed already.
        try:
            assert idle.response().status == 503
        except EOFError:
            pass


def test_a_request_that_never_ends_does_not_hold_the_drain(serve):
    running = serve("--drain", "1s")
    with RawConnection(running) as connection:
        connection.send(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert requests.get(running.url + "/livez", timeout=5).status_code == 200
        running.signal(signal.SIGTERM)
        assert running.wait(timeout=5) == 0
