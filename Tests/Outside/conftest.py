"""Fixtures: one shared server for what does not disturb others, a server of its own for what does."""

import random

import pytest

from harness.api import Api, User, admin, create_user
from harness.client import Client
from harness.server import Server, binary
from harness.turns import Machine


def pytest_addoption(parser):
    group = parser.getgroup("wattloop")
    group.addoption(
        "--rounds", type=int, default=None, help="rounds of the crash test (or WATTLOOP_TEST_ROUNDS)"
    )
    group.addoption(
        "--seed", type=int, default=None, help="seed of what is done at random (default: random, printed)"
    )
    group.addoption("--chaos-seconds", type=float, default=60, help="how long the chaos test lasts")
    group.addoption("--fuzz-examples", type=int, default=12, help="requests of each kind for each operation")
    group.addoption("--fuzz-seed", type=int, default=1, help="seed of the requests that are made up")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures times, so no other test runs meanwhile; the last of all")


def pytest_collection_modifyitems(items):
    items.sort(key=is_alone)


def is_alone(item) -> bool:
    return item.get_closest_marker("alone") is not None


@pytest.fixture(scope="session")
def machine(tmp_path_factory, worker_id) -> Machine:
    # Workers have folders of their own beside each other.
    own = tmp_path_factory.getbasetemp()
    return Machine(own if worker_id == "master" else own.parent)


@pytest.fixture(autouse=True)
def turn(request, machine):
    with machine.turn(is_alone(request.node)):
        yield


@pytest.fixture(scope="session")
def program():
    """The binary's path; without one, nothing can be said."""
    path = binary()
    if not path.exists():
        pytest.exit(f"no server at {path}: build it, or set WATTLOOP", returncode=2)
    return path


@pytest.fixture(scope="session")
def server(program, tmp_path_factory):
    """The shared server. Nothing may stop it; at the end it must leave with 0."""
    running = Server(tmp_path_factory.mktemp("shared") / "data", "--rate-limit", "off").start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture
def serve(program, tmp_path):
    """`serve("--flag", …)`: a started server on a data directory of its own, killed after the test."""
    started = []

    def start(*flags, env=None, data=None) -> Server:
        data = data or tmp_path / f"data-{len(started)}"
        started.append(Server(data, *flags, env=env))
        return started[-1].start()

    yield start
    for running in started:
        running.kill()


@pytest.fixture(scope="session")
def administrator(server) -> User:
    return admin(server)


@pytest.fixture
def seed(request) -> int:
    given = request.config.getoption("--seed")
    chosen = random.randrange(1 << 32) if given is None else given
    print(f"seed {chosen}")
    return chosen


@pytest.fixture
def anyone(server) -> Api:
    """A caller without a token."""
    return Api(server)


@pytest.fixture
def person(administrator):
    """`person("alice")`: a fresh user of the shared server, logged in."""
    return lambda stem="user", role="client": create_user(administrator, stem, role)


@pytest.fixture
def alice(person) -> User:
    return person("alice")


@pytest.fixture
def bob(person) -> User:
    return person("bob")


@pytest.fixture
async def connect():
    """`await connect(user)`: a session that is closed after the test and got no answer too many."""
    opened = []

    async def open(user, by="header", **options) -> Client:
        client = await Client.open(user.api.server, user.token, by, **options)
        opened.append(client)
        return client

    yield open
    for client in opened:
        await client.close()
    for client in opened:
        assert client.stray_answers == [], "exactly one answer to each request"
