"""The `wattloop` program: one-shot commands, and a server process on a free port."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[3]
ADMIN_PASSWORD = "outside-admin-password"
SCRYPT = ("--scrypt-n", "1024")  # cheap password hashes: the tests log in hundreds of times


def binary() -> Path:
    """`WATTLOOP`, else the release build, else the debug build."""
    if named := os.environ.get("WATTLOOP"):
        return Path(named)
    release, debug = (REPOSITORY / ".build" / kind / "wattloop" for kind in ("release", "debug"))
    return release if release.exists() else debug


def environment(extra=None) -> dict:
    """The caller's environment without any setting of the program in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATTLOOP_")}
    return kept | (extra or {})


def wattloop(*arguments, stdin="", env=None, timeout=30) -> subprocess.CompletedProcess:
    """Runs one command to its end; `stdin` is what is piped in."""
    return subprocess.run(
        [str(binary()), *map(str, arguments)],
        input=stdin,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process on its own data directory. `stop` and `kill` end it, `start` starts it again."""

    host = "127.0.0.1"
    verify = True  # what `requests` checks a certificate against
    ssl = None  # the context of WebSocket clients

    def __init__(self, data: Path, *flags, env=None, log: Path = None):
        self.data = data
        self.flags = list(map(str, flags))
        self.env = {"WATTLOOP_ADMIN_PASSWORD": ADMIN_PASSWORD} | (env or {})
        self.log = log or data.with_name(data.name + ".stderr")
        self.port = free_port()
        self.process = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def api_url(self) -> str:
        return self.url + "/api/v1"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host}:{self.port}/api/v1/ws"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def stderr(self) -> str:
        return self.log.read_text(errors="replace")

    def start(self, timeout=20) -> "Server":
        self.start_only()
        self._wait_until_ready(time.monotonic() + timeout)
        return self

    def start_only(self):
        """Starts the process and waits for nothing."""
        command = [
            str(binary()),
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self.data),
            *SCRYPT,
            *self.flags,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(self.env)
            )

    def _wait_until_ready(self, deadline):
        with requests.Session() as http:
            http.trust_env, http.verify = False, self.verify
            while time.monotonic() < deadline:
                if not self.running:
                    raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.stderr}")
                try:
                    if http.get(self.url + "/readyz", timeout=1).status_code == 200:
                        return
                except requests.RequestException:
                    pass
                time.sleep(0.02)
        self.kill()
        raise AssertionError(f"the server was not ready in time:\n{self.stderr}")

    def signal(self, number=signal.SIGTERM):
        os.kill(self.pid, number)

    def wait(self, timeout=15) -> int:
        """The exit code; a server that does not end in time is killed and fails the test."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {timeout} s:\n{self.stderr[-4000:]}") from None

    def stop(self):
        """A clean end: SIGTERM, exit 0, and no sign of a trap in the log."""
        if self.process is None:
            return
        assert self.running, f"the server ended by itself: {self.process.returncode}\n{self.stderr[-4000:]}"
        self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"exit {code} after SIGTERM:\n{self.stderr[-4000:]}"
        trap = re.search(r"Fatal error|ERROR: \w+Sanitizer|WARNING: ThreadSanitizer", self.stderr)
        assert trap is None, self.stderr[-4000:]
        self.process = None

    def kill(self):
        """SIGKILL: no chance to write anything more."""
        if self.running:
            self.process.kill()
            self.process.wait()
        self.process = None

    def resident_bytes(self) -> int:
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) * 1024
