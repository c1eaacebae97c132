"""What the README shows is run as it stands there: a reader's first steps must not fail."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

from harness.server import ADMIN_PASSWORD

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def shell(script: str) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_quick_tour_works_as_it_is_written(server, tmp_path):
    def here(text: str) -> str:
        return text.replace("127.0.0.1:8080", server.url.split("//")[1]).replace('"PASSWORD"', f'"{ADMIN_PASSWORD}"')

    curls = [here(text) for language, text in BLOCKS if "curl" in text]
    login, rest, chat, energy, timed = curls
    assert '"username":"admin"' in shell(login)

    made, talk, message = re.findall(r'curl.*?(?=\ncurl|\Z)', rest, re.DOTALL)
    prepare = "\n".join(line for line in login.splitlines() if "users/me" not in line) + "\n"
    name = re.search(r'"username": "(\w+)"', made)[1]
    user = re.search(r'"id":"(u\d+)"', shell(prepare + made))[1]
    assert f'"username":"{name}"' in shell(prepare + f'curl -s "$url/users/{user}" -H "Authorization: Bearer $token"')
    conversation = re.search(r'"id":"(c\d+)"', shell(prepare + talk.replace("USER_ID", user)))[1]
    stored = shell(prepare + message.replace("CONVERSATION_ID", conversation))
    assert '"seq":1' in stored and '"text":"Hello"' in stored

    edit, read, search = re.findall(r'curl.*?(?=\ncurl|\Z)', chat.replace("CONVERSATION_ID", conversation), re.DOTALL)
    assert '"text":"Hello, Ada"' in shell(prepare + edit)
    assert '"read_seq":1' in shell(prepare + read)
    assert "<mark>Hello</mark>, <mark>Ada</mark>" in shell(prepare + search)

    headers = shell(prepare + timed.replace("CONVERSATION_ID", conversation)).lower()
    assert "preference-applied: server-timing" in headers and "server-timing: queue;dur=" in headers

    device, key, readings, used = re.findall(r'curl.*?(?=\ncurl|\Z)', energy, re.DOTALL)
    device_id = re.search(r'"id":"(d\d+)"', shell(prepare + device.replace("USER_ID", user)))[1]
    key_token = re.search(r'"token":"(wlk_[\w-]+)"', shell(prepare + key.replace("DEVICE_ID", device_id)))[1]
    sending = readings.replace("DEVICE_ID", device_id).replace("DEVICE_TOKEN", key_token)
    assert '"accepted":1' in shell(prepare + sending)
    hours = json.loads(shell(prepare + used.replace("DEVICE_ID", device_id)))["items"]
    # A day of 25 hours, of which the readings cover the third and the fourth: 02:00 comes twice.
    assert len(hours) == 25 and [hour["value"] for hour in hours[2:4]] == [1.6, 1.6]
    assert hours[0]["value"] is None and hours[3]["label"] == "2026-10-25T02:00:00+01:00"

    script = next(here(text) for language, text in BLOCKS if language == "python")
    token = shell(prepare + 'echo "$token"').strip()
    program = tmp_path / "tour.py"
    program.write_text(script)
    tour = subprocess.Popen(
        [sys.executable, "-u", str(program), token, conversation], stdout=subprocess.PIPE, text=True)
    try:
        seen = tour.stdout.readline() + tour.stdout.readline()
    finally:
        tour.kill()
        tour.wait()
    assert '"type":"hello"' in seen and '"type":"ok","id":"1","seq":3' in seen


@pytest.mark.parametrize("flag,default", [
    (flag, default.strip())
    for flags, defaults in re.findall(r"^\| (`--.*?) \| (.*?) \|", README, re.MULTILINE)
    for flag, default in zip(re.findall(r"`(--[\w-]+)`", flags), defaults.split(","), strict=True)
])
def test_the_settings_have_the_defaults_that_it_names(program, flag, default):
    help_text = subprocess.run([program, "serve", "--help"], capture_output=True, text=True, timeout=10).stdout
    found = re.search(rf"{flag} \S.*?default: (\S+)", help_text, re.DOTALL)
    assert found, flag
    if default != "in" and not default.startswith("in "):
        assert found[1] == default


def test_every_figure_of_speed_was_measured():
    """Each stands in the results, or with the million, as it stands here."""
    said = README.split("## How fast it is")[1].split("\n## ")[0].split("`make bench`")[0]
    folder = pathlib.Path(__file__).parents[2] / "Benchmarks"
    measured = (folder / "RESULTS.md").read_text() + (folder / "README.md").read_text()
    figures = re.findall(r"(?<![\w.])\d[\d,]*\d(?:\.\d+)?|\d+\.\d+", said)
    assert len(figures) > 20
    missing = [figure for figure in figures if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d.]|,\d)", measured)]
    assert not missing
