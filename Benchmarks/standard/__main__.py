"""The standard set: every load that the project's figures come from, side by side with others, in interleaved rounds.

  make bench                            all of it, some 30 minutes; writes Benchmarks/RESULTS.md
  make bench ARGS="echo rooms"          some sections, printed and not written
  python3 Benchmarks/standard --list    their names

ROUNDS (default 5), DURATION (of a load in a round, seconds, default 4), CLIENTS (who reconnect, default 18000).
Servers run on core 0, the client on core 1. A load that was not answered in full ends the run.
"""

import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sections import sections  # noqa: E402
from servers import HERE, ROOT, installed, output, raise_descriptor_limit  # noqa: E402
from tables import table  # noqa: E402

BENCH = HERE / ".build/release/wattloop-bench"
ROUNDS = int(os.environ.get("ROUNDS", 5))
SECONDS = float(os.environ.get("DURATION", 4))
CLIENTS = int(os.environ.get("CLIENTS", 18_000))


def load_average():
    return pathlib.Path("/proc/loadavg").read_text().split()[0]


def bench(section, *server) -> list:
    """Runs the load; returns its reports."""
    command = ["taskset", "-c", "1", BENCH, *section.arguments, *map(str, server), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if run.returncode != 0:
        sys.exit(f"error: {section.name} failed: {run.stderr.strip().splitlines()[-1:]}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def store(section) -> dict:
    """What a bare loop stores, on the server's core and disk."""
    kind, places, batch, *each = map(str, section.store)
    # Where wattloop-bench has its store: /tmp may be memory.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        command = ["taskset", "-c", "0", HERE / "Floor/store", place, kind, places, batch, str(SECONDS), *each]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(section, servers, folder) -> dict:
    """One round of a section: reports by the server's name, or by the load's where there is one server."""
    if not section.servers:
        found = {report["load"]: report for report in bench(section)}
        if section.store:
            found["C floor"] = store(section)
        return found
    found = {}
    for name in section.servers:
        if name not in servers:
            continue
        server = servers[name]
        server.start(folder)
        try:
            [found[name]] = bench(section, "--port", server.port, "--server-pid", server.pid)
        finally:
            server.stop()
    return found


def machine():
    model = output("sh", "-c", "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1")
    memory = output("sh", "-c", "sed -n 's/^MemTotal: *//p' /proc/meminfo")
    return f"{os.cpu_count()} cores of {model}, {memory} of memory, Linux {os.uname().release}"


def main():
    names = [name for name in sys.argv[1:] if name != "--list"]
    chosen = sections(SECONDS, CLIENTS)
    if "--list" in sys.argv:
        return print("\n".join(f"{section.name:16} {section.title}" for section in chosen))
    unknown = set(names) - {section.name for section in chosen}
    if unknown:
        sys.exit(f"error: no section is called {', '.join(unknown)}: see --list")
    if raise_descriptor_limit() < CLIENTS + 500:
        sys.exit("error: more descriptors are needed (ulimit -n), or fewer CLIENTS")
    servers, missing = installed()
    before, start = load_average(), datetime.datetime.now(datetime.UTC)
    found = {}
    chosen = [section for section in chosen if not names or section.name in names]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            for section in chosen:
                print(f"round {number + 1} of {ROUNDS}: {section.name}", file=sys.stderr)
                rounds = found.setdefault(section.name, {})
                for name, report in measure(section, servers, pathlib.Path(folder)).items():
                    rounds.setdefault(name, []).append(report)
    text = [
        "# Results",
        "",
        "Written by `make bench`. Median (least - greatest) of the rounds; a ratio is taken within a round, for what else the",
        "machine did met both. Absolute figures are those of this machine, and its load. Where the client's share of its core is",
        "near 1, it is the client that was measured, and the server's CPU time tells more than the rate.",
        "",
        f"- {start:%Y-%m-%d}, {machine()}",
        f"- load average {before} before, {load_average()} after; server on core 0, client on core 1",
        f"- {ROUNDS} rounds, {SECONDS:g} s each",
        f"- {output(str(ROOT / '.build/release/wattloop'), '--version')}, {output('swift', '--version').splitlines()[0]}",
        *[f"- {server.name}: {server.version}" for name, server in servers.items() if name != "reactor"],
        *([f"- not installed: {', '.join(missing)}"] if missing else []),
    ]
    for section in chosen:
        command = shlex.join(["wattloop-bench", *section.arguments])
        text += ["", f"## {section.title}", "", section.note, "", table(section, found[section.name]), "", f"    {command}"]
    page = "\n".join(text) + "\n"
    print(page)
    if not names:
        (HERE / "RESULTS.md").write_text(page)


main()
