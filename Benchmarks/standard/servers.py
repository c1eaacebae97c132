"""The servers that are measured side by side, each on core 0."""

import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent
PATIENCE = 20


class Server:
    """A program that listens on the port it is told."""

    def __init__(self, name, command, version):
        self.name, self.command, self.version = name, command, version
        self.process = None

    def start(self, folder):
        self.port = free_port()
        output = open(folder / "output", "ab")
        command = [str(part) for part in self.command(self.port, folder)]
        self.process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE
        while not is_listening(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"error: {self.name} does not listen: {(folder / 'output').read_text()[-500:]}")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    @property
    def pid(self):
        """Of the process that serves: a child where there is one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def output(*command):
    found = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    return (found.stdout + found.stderr).strip()


def simple(program):
    return lambda port, folder: [program, "--port", port]


def nginx(port, folder):
    text = (HERE / "Peers/nginx.conf").read_text().replace("FOLDER", str(folder)).replace("PORT", str(port))
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-c", folder / "nginx.conf", "-p", folder]


def installed():
    """All of them that are on this machine, by name; and what is missing."""
    found = {
        "reactor": Server("reactor", simple(HERE / ".build/release/reactor-echo"), "this commit"),
        "C floor": Server("C floor", simple(HERE / "Floor/echo"), output("cc", "--version").split("\n")[0]),
    }
    missing = []
    if shutil.which("nginx"):
        found["nginx"] = Server("nginx", nginx, output("nginx", "-v").split("/")[-1])
    else:
        missing.append("nginx")
    module = output("node", "-p", "require('ws/package.json').version") if shutil.which("node") else ""
    if module and "Error" not in module:
        os.environ["NODE_PATH"] = "/usr/share/nodejs"
        found["Node ws"] = Server(
            "Node ws", lambda port, folder: ["node", HERE / "Peers/echo.js", "--port", port],
            f"{module}, Node {output('node', '--version')}")
    else:
        missing.append("Node ws")
    python = ROOT / ".venv/bin/python"
    if not python.exists():
        python = sys.executable
    version = output(str(python), "-c", "import websockets; print(websockets.__version__)")
    if "Error" not in version:
        found["Python websockets"] = Server(
            "Python websockets", lambda port, folder: [python, HERE / "Peers/echo.py", "--port", port],
            f"{version}, {output(str(python), '--version')}")
    else:
        missing.append("Python websockets")
    return found, missing
