"""REST as a client program uses it, and the shapes every test looks for."""

import itertools
import json
import re
import secrets
from dataclasses import dataclass, field

import requests

from .server import ADMIN_PASSWORD, Server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PASSWORD = "correct horse battery"
# The contract names the problem, not its status: both are used in the field.
INVALID = {400, 422}
CONFLICT = {409, 422}


class Api:
    """One caller. Paths are below /api/v1, or absolute when they start with `http`."""

    def __init__(self, server: Server, token: str = None):
        self.server = server
        self.token = token
        self.http = requests.Session()
        self.http.verify = server.verify
        self.http.trust_env = False  # neither a proxy nor a ~/.netrc

    def request(self, method, path, **options) -> requests.Response:
        url = path if path.startswith("http") else self.server.api_url + path
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.http.request(method, url, headers=headers, timeout=options.pop("timeout", 10), **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        if body is not None:
            options["json"] = body
        return self.request("POST", path, **options)

    def items(self, path, **options) -> list:
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def login(self, username, password) -> requests.Response:
        return self.post("/auth/login", {"username": username, "password": password})


@dataclass
class User:
    """A user who has logged in."""

    id: str
    username: str
    password: str
    token: str
    api: Api = field(repr=False)
    role: str = "client"


def login(server: Server, username, password) -> User:
    api = Api(server)
    answer = api.login(username, password)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    api.token = body["access_token"]
    return User(body["user"]["id"], username, password, api.token, api, body["user"]["role"])


def admin(server: Server) -> User:
    return login(server, "admin", ADMIN_PASSWORD)


_numbers = itertools.count(1)


def fresh_name(stem="user") -> str:
    """A user name that no other test uses."""
    return f"{stem}-{next(_numbers)}-{secrets.token_hex(3)}"


def create_user(administrator: User, stem="user", role="client") -> User:
    """Creates a user with a fresh name and logs in."""
    name = fresh_name(stem)
    answer = administrator.api.post("/users", {"username": name, "password": PASSWORD, "role": role})
    assert answer.status_code == 201, answer.text
    return login(administrator.api.server, name, PASSWORD)


def direct(one: User, other: User) -> str:
    """The id of their direct conversation, made on first use."""
    answer = one.api.post("/conversations", {"kind": "direct", "member_ids": [other.id]})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


def group(founder: User, *others: User, title="A group") -> str:
    answer = founder.api.post(
        "/conversations", {"kind": "group", "title": title, "member_ids": [user.id for user in others]}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def post_message(user: User, conversation, text, key=None) -> dict:
    answer = user.api.post(
        f"/conversations/{conversation}/messages", {"text": text, "key": key or fresh_key()}
    )
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def messages(user: User, conversation, **query) -> dict:
    """One page: `{"items": […], "more": bool}`."""
    answer = user.api.get(f"/conversations/{conversation}/messages", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def every_message(user: User, conversation, after_seq=0) -> list:
    """All messages above `after_seq`, page by page."""
    found = []
    while True:
        page = messages(user, conversation, after_seq=after_seq, limit=500)
        found += page["items"]
        if not page["more"]:
            return found
        assert page["items"], "a page that says `more` holds something"
        after_seq = page["items"][-1]["seq"]


def fresh_key() -> str:
    return secrets.token_hex(12)


def check_problem(problem: dict, type=None, status=None):
    """RFC 9457 members; `type` without the leading `/problems/`."""
    assert problem["type"].startswith("/problems/"), problem
    assert problem["title"] and isinstance(problem["title"], str), problem
    assert isinstance(problem["status"], int), problem
    assert isinstance(problem["detail"], str), problem
    if type is not None:
        assert problem["type"] == f"/problems/{type}", problem
    if status is not None:
        assert problem["status"] in ({status} if isinstance(status, int) else status), problem


def problem_of(answer: requests.Response, status, type=None) -> dict:
    """The problem in a REST answer, checked: its status is the answer's own."""
    allowed = {status} if isinstance(status, int) else status
    assert answer.status_code in allowed, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    check_problem(problem, type, answer.status_code)
    return problem


def pointers(problem: dict) -> set:
    """The names of the top-level fields that a validation problem points at."""
    found = set()
    for error in problem.get("errors", []):
        assert error["detail"], problem
        found.add(error["pointer"].lstrip("#").lstrip("/"))
    return found


def member_ids(conversation: dict) -> set:
    """Members may be ids or public profiles."""
    return {member if isinstance(member, str) else member["id"] for member in conversation["members"]}


def pretty(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
