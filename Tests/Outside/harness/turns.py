"""Tests run side by side, but for those that measure how long something takes: each of these has the machine alone."""

import contextlib
import fcntl
from pathlib import Path


class Machine:
    """One for each process that runs tests, on the same folder."""

    def __init__(self, folder: Path):
        # Through the door goes one at a time, or who wants the room alone would never find it empty.
        self._door, self._room = (open(folder / name, "w") for name in ("door.lock", "room.lock"))

    @contextlib.contextmanager
    def turn(self, alone: bool):
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)
