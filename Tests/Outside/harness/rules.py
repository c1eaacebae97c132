"""The tables of HTTP.md, as bytes to send and what must come of them."""

import re
from dataclasses import dataclass

from .server import REPOSITORY

DOCUMENT = REPOSITORY / "HTTP.md"
BYTES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\", "|": b"|"}


@dataclass
class Rule:
    section: str
    sent: bytes
    outcome: list  # the cells behind the bytes
    why: str

    @property
    def name(self) -> str:
        return f"{self.section}: {self.why}"


def decoded(text: str) -> bytes:
    """The bytes of a cell: escapes, and `«a×3»` for `aaa`."""

    def repeated(match):
        return match[1] * int(match[2])

    text = re.sub(r"«(.+?)×(\d+)»", repeated, text)
    parts = re.split(r"(\\x[0-9A-F]{2}|\\.)", text)
    return b"".join(
        bytes([int(part[2:], 16)]) if part.startswith("\\x") else BYTES[part[1]] if part.startswith("\\") else part.encode()
        for part in parts
    )


def rules(chapter: str) -> list:
    """Every row of that chapter, each in its section's frame."""
    text = DOCUMENT.read_text().split(f"\n## {chapter}\n")[1].split("\n## ")[0]
    found = []
    for section in text.split("\n### ")[1:]:
        title, body = section.split("\n", 1)
        frame = next((code for code in re.findall(r"`([^`]*)`", body.split("\n|")[0]) if "…" in code), "…")
        before, after = map(decoded, frame.split("…"))
        rows = [line for line in body.splitlines() if line.startswith("| `")]
        for row in rows:
            sent, *outcome, why = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
            found.append(Rule(title, before + decoded(sent[1:-1]) + after, outcome, why))
        assert rows, f"{title} has no rows"
    return found
