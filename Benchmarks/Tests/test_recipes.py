"""The recipes for other load testers, each played for a short time where its tool is installed."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.request

import pytest

RECIPES = pathlib.Path(__file__).resolve().parent.parent / "Recipes"
WATTLOOP = os.environ["WATTLOOP"]


def needs(tool):
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed")


@pytest.fixture
def server(tmp_path, port):
    process = subprocess.Popen(
        [WATTLOOP, "serve", "--port", port, "--data", tmp_path / "store", "--rate-limit", "off"],
        stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url + "/readyz")
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    (tmp_path / "tokens").write_text(wattloop("user", "add", "--load-test", "1000", "--data", tmp_path / "store"))
    yield url
    process.terminate()
    process.wait(20)


def wattloop(*arguments):
    return subprocess.run([WATTLOOP, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def messages(url):
    text = urllib.request.urlopen(url + "/metrics").read().decode()
    return int(re.search(r'wattloop_messages_total\{outcome="stored"\} (\d+)', text)[1])


def play(*command, **env):
    run = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, env={**os.environ, **env})
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@needs("wrk")
def test_wrk(server, tmp_path):
    token = wattloop("token", "admin", "--data", tmp_path / "store").strip()
    said = play("wrk", "-t1", "-c8", "-d1s", "-H", f"Authorization: Bearer {token}", server + "/api/v1/users/me")
    assert "Non-2xx" not in said and "Socket errors" not in said and "Requests/sec" in said
    request = urllib.request.Request(
        server + "/api/v1/devices", data=b'{"name": "Kitchen"}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    device = json.load(urllib.request.urlopen(request))["id"]
    said = play("wrk", "-t1", "-c2", "-d1s", "-s", RECIPES / "wrk-readings.lua", server, TOKEN=token, DEVICE=device)
    assert "Non-2xx" not in said and "accepted" not in said and "Requests/sec" in said


@needs("locust")
def test_locust(server, tmp_path):
    play(
        "locust", "-f", RECIPES / "locustfile.py", "--headless", "-u", "10", "-r", "10", "-t", "4s", "--host", server,
        TOKENS=str(tmp_path / "tokens"))
    assert messages(server) > 0


@needs("tsung")
def test_tsung(server, tmp_path):
    plan = (RECIPES / "tsung.xml").read_text().replace('"TOKENS"', f'"{tmp_path}/tokens"')
    plan = plan.replace('port="8080"', f'port="{server.rsplit(":")[-1]}"').replace('duration="30"', 'duration="2"')
    (tmp_path / "tsung.xml").write_text(plan)
    play("tsung", "-f", tmp_path / "tsung.xml", "-l", tmp_path / "log", "start")
    [log] = (tmp_path / "log").glob("*/tsung.log")
    users = int(re.findall(r"stats: finish_users_count \d+ (\d+)", log.read_text())[-1])
    assert "stats: error_" not in log.read_text()
    assert messages(server) == 5 * users > 0
