"""Contract §1: `wattloop simulate` plays meters through the public API, loses nothing and stores nothing twice."""

import os
import pty
import re
import signal
import subprocess
import threading
import time
from datetime import timedelta

import pytest

from harness.api import Api, admin, create_user
from harness.energy import at, consumption, create_device
from harness.server import ADMIN_PASSWORD, binary, environment, free_port, wattloop

pytestmark = pytest.mark.usefixtures("program")

USAGE, UNAVAILABLE = 64, 69
ENV = {"WATTLOOP_PASSWORD": ADMIN_PASSWORD}


def arguments(server, *flags, username="admin") -> list:
    return ["simulate", "--url", server.url, "--username", username, *map(str, flags)]


def simulate(server, *flags, env=None, stdin="", **options):
    return wattloop(*arguments(server, *flags, **options), env=ENV if env is None else env, stdin=stdin, timeout=60)


def start(server, *flags) -> subprocess.Popen:
    return subprocess.Popen(
        [str(binary()), *arguments(server, *flags)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment(ENV))


def numbers(output: str) -> dict:
    """The report's rows that are whole numbers."""
    return {name: int(value) for name, value in re.findall(r"^(\S.*?)  +(\d+)$", output, re.MULTILINE)}


def outcome(output: str) -> tuple:
    row = numbers(output)
    return tuple(row[name] for name in ("readings sent", "accepted", "duplicates", "corrected", "rejected"))


def simulated(api: Api) -> dict:
    """Name to id of the simulated devices, over all pages."""
    found, cursor = {}, ""
    while cursor is not None:
        page = api.get("/devices", params={"limit": 500} | ({"cursor": cursor} if cursor else {})).json()
        for device in page["items"]:
            if device["name"].startswith("sim-"):
                assert device["name"] not in found, "each name once"
                found[device["name"]] = device["id"]
        cursor = page["next_cursor"]
    return found


def readings(api: Api, device: str) -> list:
    found, cursor = [], ""
    while cursor is not None:
        query = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = api.get(f"/devices/{device}/measurements", params=query).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def assert_joined(stored: list):
    """Each reading begins where the one before it ended."""
    for before, after in zip(stored, stored[1:]):
        assert before["end"] == after["start"], (before, after)


def assert_sound(server, count: int):
    """The store checks itself, and holds so many readings."""
    done = wattloop("check", "--data", server.data)
    assert done.returncode == 0, done.stdout
    assert f" {count} readings" in done.stdout


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def test_devices_send_at_the_asked_rate_and_without_a_gap(serve):
    server = serve()
    done = simulate(server, "--devices", 7, "--rate", 140, "--seconds", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert outcome(done.stdout) == (420, 420, 0, 0, 0)
    user = admin(server)
    devices = simulated(user.api)
    assert sorted(devices) == [f"sim-{number}" for number in range(1, 8)]
    for device in devices.values():
        stored = readings(user.api, device)
        assert len(stored) == 60
        assert_joined(stored)
        first, last = at(stored[0]["start"]), at(stored[-1]["end"])
        assert timedelta(seconds=2.5) < last - first <= timedelta(seconds=3)
        quarters = consumption(user, device, first - timedelta(hours=1), last + timedelta(hours=1), "15m")
        covered = sum(quarter["coverage"] * 900 for quarter in quarters)
        assert covered == pytest.approx((last - first).total_seconds(), abs=0.01)
        used = sum(quarter["value"] or 0 for quarter in quarters)
        assert used == pytest.approx(sum(one["value"] for one in stored), abs=1e-8) and used > 0
    assert_sound(server, 420)


def test_a_second_run_finds_its_devices_again_and_makes_the_missing_ones(serve):
    server = serve()
    administrator = admin(server)
    for name in ("sim-0", "sim-02", "sim-x", "another"):
        create_device(administrator, name=name)
    assert simulate(server, "--devices", 2, "--rate", 20, "--seconds", 1).returncode == 0
    first = simulated(administrator.api)
    assert simulate(server, "--devices", 2, "--rate", 20, "--seconds", 1).returncode == 0
    assert simulated(administrator.api) == first
    done = simulate(server, "--devices", 600, "--rate", 600, "--seconds", 1, "--connections", 16)
    assert outcome(done.stdout) == (600, 600, 0, 0, 0), done.stderr
    assert first.items() <= simulated(administrator.api).items()
    more = simulate(server, "--devices", 601, "--rate", 601, "--seconds", 1, "--connections", 16)
    assert outcome(more.stdout) == (601, 601, 0, 0, 0), more.stderr
    devices = simulated(administrator.api)
    assert set(devices) == {f"sim-{number}" for number in range(1, 602)} | {"sim-0", "sim-02", "sim-x"}
    assert_sound(server, 20 + 20 + 600 + 601)


def test_a_device_of_that_name_with_another_metric_is_not_used(serve):
    server = serve()
    create_device(admin(server), name="sim-2", metrics=[{"name": "power", "kind": "power", "unit": "W"}])
    done = simulate(server, "--devices", 2, "--rate", 20, "--seconds", 1)
    assert done.returncode == 1 and "sim-2" in done.stderr and done.stdout == ""


def test_a_server_that_dies_in_the_middle_loses_and_doubles_nothing(serve):
    server = serve()
    running = start(server, "--devices", 10, "--rate", 1000, "--seconds", 8, "--batch", 20)
    for wait in (2, 1, 1):
        time.sleep(wait)
        server.kill()
        time.sleep(0.5)
        server.start()
    output, errors = running.communicate(timeout=90)
    assert running.returncode == 0, errors
    assert outcome(output) == (8000, 8000, 0, 0, 0)
    assert numbers(output)["repeated requests"] > 0
    api = admin(server).api
    for device in simulated(api).values():
        stored = readings(api, device)
        assert len(stored) == 800
        assert_joined(stored)
    assert_sound(server, 8000)


def test_tokens_that_end_in_the_middle_are_renewed(serve):
    server = serve()
    running = start(server, "--devices", 5, "--rate", 100, "--seconds", 4)
    until(lambda: len(simulated(admin(server).api)) == 5)
    for _ in range(3):
        time.sleep(0.5)
        user = admin(server)
        # Also the same password anew ends every session.
        change = {"password": ADMIN_PASSWORD, "current_password": ADMIN_PASSWORD}
        assert user.api.request("PATCH", "/users/me", json=change).status_code == 200
        assert user.api.get("/users/me").status_code == 401
    output, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    assert outcome(output) == (400, 400, 0, 0, 0)


def test_ctrl_c_waits_for_what_is_in_flight_and_reports(serve):
    server = serve()
    running = start(server, "--devices", 3, "--rate", 300)
    time.sleep(2.5)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
    sent, accepted, *rest = outcome(output)
    assert 0 < sent == accepted and rest == [0, 0, 0]
    assert_sound(server, sent)


def test_a_second_ctrl_c_waits_for_nothing(serve):
    server = serve()
    running = start(server, "--devices", 3, "--rate", 300)
    time.sleep(1.5)
    server.kill()
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert running.poll() is None, "what is in flight is sent again and again"
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=5)
    assert running.returncode == 1 and "stopped before everything was answered" in errors
    assert numbers(output)["without an answer"] > 0


HEADER = "device_id,start,end,value\r\n"


def rows(device: str, count: int, first=0) -> list:
    begin = at("2026-01-01T00:00:00Z")
    times = [(begin + timedelta(minutes=number)).isoformat() for number in range(first, first + count + 1)]
    return [f'{device},"{one}",{two},"0.5"\r\n' for one, two in zip(times, times[1:])]


def test_a_file_is_sent_to_its_end(serve, tmp_path):
    server = serve()
    administrator = admin(server)
    one, two = create_device(administrator), create_device(administrator)
    file = tmp_path / "readings.csv"
    file.write_text("\ufeff" + HEADER + "".join(rows(one, 3000) + ["\r\n"] + rows(two, 3000)).rstrip(), newline="")
    done = simulate(server, "--csv", file, "--batch", 70)
    assert (done.returncode, done.stderr) == (0, "")
    assert outcome(done.stdout) == (6000, 6000, 0, 0, 0)
    assert numbers(done.stdout)["requests"] == 86
    again = simulate(server, "--csv", file, "--batch", 1000)
    assert outcome(again.stdout) == (6000, 0, 6000, 0, 0) and again.returncode == 0
    assert_sound(server, 6000)
    for device in (one, two):
        assert_joined(readings(administrator.api, device))


def test_the_lines_of_a_file_keep_their_order(serve, tmp_path):
    server = serve()
    administrator = admin(server)
    device = create_device(administrator)
    file = tmp_path / "readings.csv"
    lines = [f"2026-01-01T00:00:00Z,{device},{number}\n" for number in range(500)]
    file.write_text("end,device_id,value\n" + "".join(lines))
    done = simulate(server, "--csv", file, "--batch", 3, "--connections", 8)
    assert done.returncode == 0 and outcome(done.stdout) == (500, 1, 0, 499, 0)
    assert [one["value"] for one in readings(administrator.api, device)] == [499]


def test_a_file_at_a_rate_takes_its_time(serve, tmp_path):
    server = serve()
    file = tmp_path / "readings.csv"
    file.write_text(HEADER + "".join(rows(create_device(admin(server)), 40)), newline="")
    began = time.monotonic()
    done = simulate(server, "--csv", file, "--rate", 20)
    assert done.returncode == 0 and outcome(done.stdout) == (40, 40, 0, 0, 0)
    assert time.monotonic() - began >= 1.9


def test_rejected_lines_are_named_by_their_number(serve, tmp_path):
    server = serve()
    device = create_device(admin(server))
    good = rows(device, 20)
    lines = [HEADER, *good[:5], "\r\n", f"{device},,2026-01-01T00:30:00Z,much\r\n", *good[5:10]]
    lines += ["d999,,2026-01-01T00:30:00Z,1\r\n", f"{device},,{'x' * 20000},1\r\n", *good[10:], f"{device},1\n"]
    file = tmp_path / "readings.csv"
    file.write_text("".join(lines), newline="")
    done = simulate(server, "--csv", file, "--batch", 4)
    assert done.returncode == 1 and "4 readings were rejected" in done.stderr
    assert outcome(done.stdout) == (24, 20, 0, 0, 4)
    named = dict(re.findall(r"^line (\d+): (.*)$", done.stdout, re.MULTILINE))
    assert sorted(map(int, named)) == [8, 14, 15, 26]
    assert "not a number" in named["8"] and "no such device" in named["14"] and "too long" in named["15"]
    assert_sound(server, 20)


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "\n\nvalue,end\n", "x" * 20000 + "\nvalue,end\n"],
    ids=["empty", "other columns", "an empty line", "too long"])
def test_a_file_that_is_no_such_csv_is_refused(server, tmp_path, content):
    file = tmp_path / "readings.csv"
    file.write_text(content)
    done = simulate(server, "--csv", file)
    assert done.returncode in (1, USAGE) and "column names" in done.stderr


def test_the_password_also_comes_from_standard_input_and_never_shows(server, administrator, tmp_path):
    file = tmp_path / "readings.csv"
    file.write_text(HEADER + "".join(rows(create_device(administrator), 5)), newline="")
    done = simulate(server, "--csv", file, env={}, stdin=ADMIN_PASSWORD + "\n")
    assert done.returncode == 0 and ADMIN_PASSWORD not in done.stdout + done.stderr
    token = wattloop("simulate", "--url", server.url, "--csv", file, env={"WATTLOOP_TOKEN": administrator.token})
    assert token.returncode == 0 and outcome(token.stdout) == (5, 0, 5, 0, 0)
    bad = wattloop("simulate", "--url", server.url, "--csv", file, env={"WATTLOOP_TOKEN": "no-token"})
    assert bad.returncode == 1 and "401" in bad.stderr


def test_a_wrong_password_and_a_client_are_refused(server, administrator):
    wrong = simulate(server, "--devices", 1, "--rate", 1, "--seconds", 1, env={"WATTLOOP_PASSWORD": "wrong" * 3})
    assert wrong.returncode == 1 and "401" in wrong.stderr and wrong.stdout == ""
    user = create_user(administrator)
    client = simulate(
        server, "--devices", 1, "--rate", 1, "--seconds", 1, username=user.username,
        env={"WATTLOOP_PASSWORD": user.password})
    assert client.returncode == 1 and "403" in client.stderr


def test_a_server_that_is_not_there_is_said_at_once():
    began = time.monotonic()
    done = wattloop(
        "simulate", "--url", f"http://127.0.0.1:{free_port()}", "--username", "admin", "--devices", 1,
        "--rate", 1, env=ENV)
    assert done.returncode == UNAVAILABLE and "onnection refused" in done.stderr
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--devices", 1),
        ("--devices", 1, "--csv", "x", "--rate", 1),
        ("--devices", 0, "--rate", 1),
        ("--devices", 100001, "--rate", 1),
        ("--devices", 1, "--rate", "nan"),
        ("--devices", 1, "--rate", -1),
        ("--devices", 1, "--rate", 1001),
        ("--devices", 1, "--rate", 1, "--seconds", 0),
        ("--devices", 1, "--rate", 1, "--batch", 1001),
        ("--devices", 1, "--rate", 1, "--connections", 0),
        ("--devices", 1, "--rate", 1, "--url", "https://127.0.0.1"),
        ("--devices", 1, "--rate", 1, "--url", "127.0.0.1:8080"),
        ("--csv", "/does/not/exist"),
        ("--csv", "/dev/null"),
        ("--csv", "/"),
    ],
)
def test_a_wrong_option_ends_with_64_and_one_line(flags):
    done = wattloop("simulate", "--username", "admin", *flags, env=ENV)
    assert done.returncode == USAGE and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_sees_progress_unless_it_wants_none(serve, quiet):
    server = serve()
    main, side = pty.openpty()
    flags = ["--devices", 3, "--rate", 300, "--seconds", 3] + ["--quiet"] * quiet
    command = [str(binary()), *arguments(server, *flags)]
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=side, text=True, env=environment(ENV))
    os.close(side)
    seen = []

    def listen():
        try:
            while piece := os.read(main, 4096):
                seen.append(piece)
        except OSError:  # Linux says EIO when the other side is closed
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    output, _ = running.communicate(timeout=30)
    listener.join()
    os.close(main)
    shown = b"".join(seen).decode()
    assert running.returncode == 0 and outcome(output)[0] == 900
    if quiet:
        assert shown == ""
        return
    assert re.search(r"\r\d+ sent, \d+/s, \d+ accepted, lag [\d.]+ m?s, p50 [\d.]+ ms, p99 ", shown)
