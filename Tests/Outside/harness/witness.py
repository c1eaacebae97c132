"""A healthy client in a process of its own: what it sees while others do their worst.

In the test's own process its times would be those of the attack's Python. `python witness.py PORT TOKEN` asks without
a pause and, for each line on standard input, prints what it has seen since the last one."""

import contextlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

# Seconds: below it, nobody can tell the server's delay from a busy machine's.
FLOOR = 0.05


class Witness:
    def __init__(self, server, token):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(server.port), token],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.report()

    def report(self) -> dict:
        """`count` answers, the 99th percentile `p99` and the `worst` of their times, in seconds, since the last report."""
        self.process.stdin.write("\n")
        line = self.process.stdout.readline()
        assert line, "the healthy client has lost its connection, or got a wrong answer"
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def unharmed(server, token, memory, elsewhere):
    """What happens inside costs a healthy client little time, and the server no more than `memory` bytes. Little is three
    times what it was before, or what it is at the same time for the witness `elsewhere`, of a server that nobody attacks."""
    witness = Witness(server, token)
    try:
        time.sleep(0.7)
        quiet = witness.report()
        before = resident(server)
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak begins anew
        elsewhere.report()
        yield
        under, beside = witness.report(), elsewhere.report()
        growth = peak(server) - before
    finally:
        witness.end()
    assert quiet["count"] > 20 and under["count"] > 20, (quiet, under)
    assert under["p99"] <= max(FLOOR, 3 * quiet["p99"], 3 * beside["p99"]), (quiet, under, beside)
    assert growth <= memory, f"{growth >> 10} KiB"


def status(server, name) -> int:
    text = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


def resident(server) -> int:
    return status(server, "VmRSS")


def peak(server) -> int:
    return status(server, "VmHWM")


def main(port: int, token: str):
    import itertools
    import os
    import select

    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from harness.raw import RawConnection, text

    class Address:
        host = "127.0.0.1"

    Address.port = port
    http, socket = RawConnection(Address), RawConnection(Address)
    socket.upgrade(token)

    def ask(request: str):
        http.send(request.encode())
        assert http.response().status == 200

    def from_memory():
        ask("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")

    def from_the_store():
        ask(f"GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n")

    def over_the_socket():
        socket.send(text(type="ping", id="1"))
        socket.message(type="ok", id="1")

    times = []
    for question in itertools.cycle((from_memory, from_the_store, over_the_socket)):
        began = time.monotonic()
        question()
        times.append(time.monotonic() - began)
        if select.select([sys.stdin], [], [], 0.001)[0]:
            if not sys.stdin.readline():
                return
            times.sort()
            print(json.dumps({"count": len(times), "p99": times[len(times) * 99 // 100], "worst": times[-1]}), flush=True)
            times = []


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
