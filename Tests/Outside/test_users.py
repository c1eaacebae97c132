"""Contract §2, `/users`: who may see and create whom."""

import pytest

from harness.api import INVALID, PASSWORD, TIME, fresh_name, login, pointers, problem_of

USER = {"id", "username", "display_name", "email", "role", "disabled", "created_at"}
PUBLIC = {"id", "username", "display_name"}


def test_me_is_the_callers_own_user(alice):
    answer = alice.api.get("/users/me")
    assert answer.status_code == 200
    me = answer.json()
    assert set(me) >= USER
    assert (me["id"], me["username"], me["role"], me["disabled"]) == (
        alice.id,
        alice.username,
        "client",
        False,
    )
    assert TIME.fullmatch(me["created_at"])
    assert "password" not in answer.text


def test_me_carries_an_etag_that_saves_the_body(alice):
    tag = alice.api.get("/users/me").headers["ETag"]
    again = alice.api.get("/users/me", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_change_is_seen_at_once_by_everybody_who_has_looked(administrator, person):
    ann, bob = person(), person()
    views = [(ann, "/users/me"), (ann, f"/users/{ann.id}"), (bob, f"/users/{ann.id}"), (administrator, f"/users/{ann.id}")]
    tags = [who.api.get(path).headers["ETag"] for who, path in views]
    for name in "Ann", "Anna":
        assert ann.api.request("PATCH", "/users/me", json={"display_name": name}).status_code == 200
        for number, (who, path) in enumerate(views):
            answer = who.api.get(path, headers={"If-None-Match": tags[number]})
            assert (answer.status_code, answer.json()["display_name"]) == (200, name)
            assert set(answer.json()) == (PUBLIC if who is bob else set(answer.json()) | USER)
            tags[number] = answer.headers["ETag"]
    assert administrator.api.request("DELETE", f"/users/{ann.id}").status_code == 204
    for who, path in views[2:]:
        assert who.api.get(path).status_code == 404
    for id in "u999999", "d1", "x", "u", "-":
        assert bob.api.get(f"/users/{id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/me"),
        ("GET", "/users"),
        ("POST", "/users"),
        ("GET", "/conversations"),
        ("POST", "/conversations"),
        ("GET", "/conversations/c1/messages"),
        ("POST", "/conversations/c1/messages"),
    ],
)
def test_without_a_token_everything_is_401(anyone, method, path):
    answer = anyone.request(method, path)
    problem_of(answer, 401)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer")
    assert "error=" not in challenge, "RFC 6750 §3.1: no error code for a request without credentials"


def test_an_admin_creates_a_user_who_can_log_in(server, administrator):
    name = fresh_name("Greta")
    answer = administrator.api.post(
        "/users",
        {
            "username": name,
            "password": PASSWORD,
            "display_name": "Greta Ä. 😀",
            "role": "client",
            "email": "greta@example.org",
        },
    )
    assert answer.status_code == 201
    user = answer.json()
    assert set(user) >= USER
    assert (user["username"], user["display_name"], user["role"]) == (name, "Greta Ä. 😀", "client")
    assert user["email"] == "greta@example.org"
    assert answer.headers["Location"].endswith(f"/api/v1/users/{user['id']}")
    assert PASSWORD not in answer.text
    assert login(server, name, PASSWORD).id == user["id"]


def test_an_admin_creates_an_admin(person):
    assert person("boss", role="admin").api.get("/users/me").json()["role"] == "admin"


def test_a_client_may_not_create_users(alice):
    answer = alice.api.post("/users", {"username": fresh_name(), "password": PASSWORD, "role": "client"})
    problem_of(answer, 403)


def test_a_client_is_refused_before_the_body_is_judged(alice):
    problem_of(alice.api.post("/users", {"username": "not a name"}), 403)


def test_a_taken_name_is_409_whatever_its_case(administrator, alice):
    for name in (alice.username, alice.username.upper()):
        answer = administrator.api.post("/users", {"username": name, "password": PASSWORD, "role": "client"})
        problem_of(answer, 409)


GOOD = {"username": "good", "password": PASSWORD, "role": "client"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "two words"),
        ("username", "x" * 65),
        ("username", "slash/ed"),
        ("username", "new\nline"),
        ("username", 7),
        ("username", None),
        ("password", "7 chars"),
        ("password", "x" * 257),
        ("password", ["a", "list"]),
        ("role", "king"),
        ("role", 1),
    ],
)
def test_a_bad_field_is_pointed_at(administrator, field, value):
    answer = administrator.api.post("/users", GOOD | {"username": fresh_name(), field: value})
    assert pointers(problem_of(answer, INVALID, "validation")) == {field}


@pytest.mark.parametrize("field", ["username", "password", "role"])
def test_a_missing_field_is_pointed_at(administrator, field):
    body = {name: value for name, value in GOOD.items() if name != field}
    assert pointers(problem_of(administrator.api.post("/users", body), INVALID, "validation")) == {field}


def test_every_bad_field_is_pointed_at_in_one_answer(administrator):
    answer = administrator.api.post("/users", {"username": "a b", "password": "short", "role": "client"})
    assert pointers(problem_of(answer, INVALID, "validation")) == {"username", "password"}


@pytest.mark.parametrize("username", ["x", "y" * 64, "dot.ted", "under_score", "da-sh", "1234"])
def test_names_at_the_limits_are_taken(administrator, username):
    answer = administrator.api.post("/users", GOOD | {"username": username})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("password", ["x" * 8, "x" * 256, "pässwörd", "  spaces  "])
def test_passwords_at_the_limits_are_taken_as_they_are(server, administrator, password):
    name = fresh_name()
    assert (
        administrator.api.post("/users", GOOD | {"username": name, "password": password}).status_code == 201
    )
    assert login(server, name, password)
    assert administrator.api.login(name, password.strip() + "!").status_code == 401


def test_unknown_fields_are_ignored(administrator):
    answer = administrator.api.post("/users", GOOD | {"username": fresh_name(), "shoe_size": 42})
    assert answer.status_code == 201


# The list


def walk(api, **query) -> list:
    """Every page, and the rule that the link header says the same as the body."""
    users, query = [], {"limit": 2} | query
    while True:
        answer = api.get("/users", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= query["limit"]
        users += page["items"]
        assert ('rel="next"' in answer.headers.get("Link", "")) == (page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            return users
        query["cursor"] = page["next_cursor"]


def test_an_admin_sees_every_user_once_page_by_page(administrator, person):
    made = {person().id for _ in range(5)}
    users = walk(administrator.api)
    ids = [user["id"] for user in users]
    assert len(ids) == len(set(ids))
    assert made <= set(ids)
    assert all(set(user) >= USER for user in users)


def test_a_client_sees_public_profiles_only(alice, bob):
    users = walk(alice.api, limit=200)
    assert bob.id in {user["id"] for user in users}
    assert all(set(user) == PUBLIC for user in users)


def test_the_list_is_searched_by_a_prefix(alice, bob):
    found = alice.api.items("/users", params={"q": bob.username[:-1]})
    assert [user["id"] for user in found] == [bob.id]
    assert alice.api.items("/users", params={"q": "%"}) == []


@pytest.mark.parametrize(
    "query", [{"limit": "many"}, {"limit": "0"}, {"limit": "-1"}, {"cursor": "rubbish"}], ids=str
)
def test_a_bad_query_is_refused(administrator, query):
    problem_of(administrator.api.get("/users", params=query), INVALID)
