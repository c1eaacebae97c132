"""wattloop-bench as one uses it: exit codes, output, thresholds, the page, the live line, servers of others."""

import html.parser
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent.parent
RELEASE = HERE / ".build/release"
CHAT = ["latency", "--connections", "20", "--rate", "200", "--seconds", "2", "--warmup", "0.2"]


def bench(*arguments, env=None):
    return subprocess.run(
        [RELEASE / "wattloop-bench", *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})})


def report(*arguments):
    run = bench(*arguments, "--json")
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def own_servers():
    found = subprocess.run(["pgrep", "-f", "wattloop serve .*wattloop-bench-"], capture_output=True, text=True)
    return set(found.stdout.split())


@pytest.fixture
def echo_server():
    server = subprocess.Popen([RELEASE / "reactor-echo", "--port", "0"], stdout=subprocess.PIPE, text=True)
    yield re.search(r":(\d+)", server.stdout.readline())[1]
    server.terminate()
    server.wait(10)


def test_a_run_without_a_server_starts_one_and_leaves_nothing():
    [found] = report(*CHAT)
    assert found["errors"] == found["missing_acks"] == found["missing_deliveries"] == 0
    # What was sent is what was acknowledged and delivered, what the server has counted, and what its store holds.
    assert found["sent"] == found["server_stored"] == found["server_delivered"] > 400
    assert found["ack_p50_us"] <= found["ack_p99_us"] <= found["ack_max_us"]
    assert not list(pathlib.Path("/var/tmp").glob("wattloop-bench-*"))
    assert not own_servers()


def test_a_run_that_is_killed_takes_its_server_along():
    run = subprocess.Popen([RELEASE / "wattloop-bench", "latency", "--seconds", "60"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not own_servers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.kill()
    run.wait()
    while own_servers():
        assert time.monotonic() < deadline + 20
        time.sleep(0.05)
    for folder in pathlib.Path("/var/tmp").glob("wattloop-bench-*"):
        shutil.rmtree(folder)


def test_a_threshold_that_is_missed_is_exit_code_1_after_the_report():
    met = bench(*CHAT, "--slo", "p99<30s", "--slo", "errors == 0", "--slo", "sent>0.1k", "--slo", "delivery_p50<=30s")
    assert met.returncode == 0, met.stderr
    assert met.stderr.count("met  ") == 4
    missed = bench(*CHAT, "--slo", "p50<1us", "--slo", "errors==0", "--json")
    assert missed.returncode == 1
    assert re.search(r"^MISSED p50<1us: latency wattloop has \d", missed.stderr, re.M)
    assert json.loads(missed.stdout)["errors"] == 0


@pytest.mark.parametrize("wrong", ["p99", "p99<", "<5", "p99<5lightyears", "p99=<5"])
def test_a_threshold_that_cannot_be_read_is_a_usage_error(wrong):
    assert bench("latency", "--slo", wrong).returncode == 64


def test_a_threshold_of_no_figure_names_those_that_there_are():
    run = bench(*CHAT, "--slo", "p98<5ms")
    assert run.returncode == 64 and "ack_p99_us" in run.stderr


def test_an_option_of_a_running_server_needs_its_port():
    for option in (["--tokens", "x"], ["--data", "x"], ["--login", "x"], ["--server-pid", "1"], ["--token", "x"]):
        run = bench("latency", *option)
        assert run.returncode == 64 and "--port" in run.stderr


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]


def test_the_page_needs_nothing_but_itself(tmp_path):
    page = tmp_path / "report.html"
    run = bench(*CHAT, "--html", page, "--slo", "p99<30s", "--slo", "p50<1us")
    assert run.returncode == 1
    text = page.read_text()
    found = Page(text)
    assert not found.addresses and "script" not in found.tags and "http" not in text
    # Percentiles, rate, latency and memory over time.
    assert found.tags.count("svg") >= 4
    for title in "Latency by percentile", "Rate over time", "Latency over time", "memory":
        assert title in text
    assert "missed" in text and "p50&lt;1us" in text


def shown_in_a_terminal(*arguments) -> str:
    mine, theirs = pty.openpty()
    run = subprocess.Popen([RELEASE / "wattloop-bench", *arguments], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(mine, 4096):
            shown += more
    except OSError:
        pass
    assert run.wait() == 0
    return shown.decode()


def test_a_terminal_shows_how_it_goes_and_a_pipe_nothing():
    assert bench(*CHAT).stderr == ""
    text = shown_in_a_terminal(*CHAT)
    assert re.search(r"measuring +[█░]{16}  20 conns  \d+/s  p50 [\d.]+ (µs|ms)  p99 [\d.]+ (µs|ms)", text), text
    # The last thing is that the line is taken away.
    assert text.endswith("\r\x1b[K")


def test_a_terminal_shows_how_fast_connections_open():
    text = shown_in_a_terminal("connections", "--from", "1000", "--to", "12000", "--settle", "0", "--hold", "0")
    assert re.search(r"opening +[█░]{16}  [\d.]+k? conns  [1-9][\d.]*k? opened/s", text), text


def test_servers_of_others(echo_server):
    port = ["--port", echo_server, "--seconds", "0.5", "--warmup", "0.1"]
    [found] = report("throughput", "--protocol", "echo", "--connections", "10", "--depth", "3", *port)
    assert found["sent"] > 100 and found["missing"] == 0
    [found] = report("latency", "--protocol", "echo", "--connections", "7", "--rate", "100", *port)
    assert 50 <= found["sent"] <= 70 and found["missing"] == 0
    for command in (["throughput"], ["latency", "--rate", "100"]):
        [found] = report(*command, "--protocol", "http", "--connections", "3", "--path", "/plaintext", *port)
        assert found["sent"] >= 50 and found["missing"] == 0
    found = report("fanout", "--protocol", "echo", "--room", "5", "--room", "20", "--rooms", "2", *port)
    assert [load["load"] for load in found] == ["fanout echo 5", "fanout echo 20"]
    [found] = report("fanout", "--protocol", "echo", "--room", "5", "--rooms", "2", "--rate", "100", *port)
    # A hundred messages a second to five members each.
    assert 400 < found["deliveries_per_second"] < 600
    [found] = report("connections", "--protocol", "echo", "--port", echo_server, "--from", "10", "--to", "200", "--hold", "0")
    assert found["connections"] == 200 and found["accepts_per_second"] > 0
    # No such path: no WebSocket.
    assert bench("throughput", "--protocol", "echo", "--path", "/nothing", *port).returncode == 1
    assert bench("throughput", "--protocol", "http", "--path", "/nothing", *port).returncode == 1


def test_protocols_that_a_server_cannot_be_started_for_need_a_port():
    for command in ("latency", "throughput", "fanout", "connections"):
        run = bench(command, "--protocol", "echo")
        assert run.returncode == 64 and "--port" in run.stderr


def test_users_over_rest(tmp_path, port):
    wattloop = os.environ["WATTLOOP"]
    env = {**os.environ, "WATTLOOP_ADMIN_PASSWORD": "correct horse"}
    with subprocess.Popen(
        [wattloop, "serve", "--port", port, "--data", tmp_path, "--rate-limit", "off"], env=env,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            login = [*CHAT, "--connections", "4", "--port", port, "--login", "admin"]
            deadline = time.monotonic() + 20
            while bench(*login, env={"WATTLOOP_PASSWORD": "correct horse"}).returncode != 0:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert bench(*login, env={"WATTLOOP_PASSWORD": "wrong"}).returncode == 1
            assert bench(*CHAT, "--port", port, "--data", tmp_path).returncode == 0
        finally:
            server.terminate()


@pytest.mark.parametrize(
    "command",
    [
        ["throughput", "--connections", "20", "--seconds", "1"],
        ["fanout", "--room", "8", "--rooms", "2", "--seconds", "1", "--warmup", "0.2"],
        ["fanout", "--room", "8", "--rooms", "2", "--rate", "50", "--seconds", "1", "--warmup", "0.2"],
        ["rest", "--path", "/livez", "--path", "/api/v1/users/me", "--seconds", "0.3", "--rounds", "2"],
        ["ingest", "--devices", "5", "--seconds", "1"],
        ["reconnect", "--clients", "100", "--room", "20", "--healthy", "10", "--seconds", "1"],
        ["soak", "--connections", "10", "--rate", "50", "--visitors", "10", "--seconds", "3"],
        ["connections", "--from", "50", "--to", "200", "--hold", "0.5"],
    ],
    ids=lambda command: " ".join(command[:1]),
)
def test_each_load_runs_by_itself(command):
    found = report(*command)
    assert found and all(value >= 0 or "growth" in key or "bytes" in key
                         for load in found for key, value in load.items() if key != "load")
