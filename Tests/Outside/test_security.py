"""SECURITY.md names tests; they are there. And what no other test shows of it."""

import re

import pytest

from harness.api import admin
from harness.server import REPOSITORY

DOCUMENT = (REPOSITORY / "SECURITY.md").read_text()
ROWS = [line for line in DOCUMENT.splitlines() if re.match(r"\| (?!an attacker)", line)]


def named(row: str) -> list:
    """(file, test) of a row's last cell: "`file`: `test`, `test`, `file`: `test`"."""
    found, file = [], None
    for word in re.findall(r"`([^`]+)`", row.strip(" |").split(" | ")[-1]):
        if word.endswith((".py", ".swift")):
            file = word
        else:
            found.append((file, word))
    return found


def claim(row: str) -> str:
    return row.strip("| ").split(" | ")[0]


@pytest.mark.parametrize("row", ROWS, ids=map(claim, ROWS))
def test_each_claim_names_a_test_that_is_there(row):
    tests = named(row)
    assert tests, "a claim without a test"
    for file, test in tests:
        [path] = (REPOSITORY / "Tests").rglob(file)
        text = path.read_text()
        if file.endswith(".py"):
            assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"{file} has no {test}"
        else:
            assert f"func `{test}`" in text or f'"{test}"' in text, f"{file} has no {test}"


def test_the_claims_are_many_and_in_order():
    assert re.findall(r"^### (.+)", DOCUMENT, re.MULTILINE) == [
        "Protocol", "Authentication", "Authorisation", "Resources", "Storage", "Supply and operations"]
    assert len(ROWS) > 45


def test_nobody_else_on_the_machine_can_read_the_store(serve):
    running = serve()
    admin(running)  # something is in the log, too
    files = [running.data, *running.data.iterdir()]
    assert any(file.name.endswith("-wal") for file in files)
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file.name
