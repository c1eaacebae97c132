"""Contract §2, `/conversations` and their messages, over REST alone."""

import pytest

from harness.api import (
    CONFLICT,
    INVALID,
    TIME,
    direct,
    every_message,
    fresh_key,
    group,
    member_ids,
    messages,
    pointers,
    post_message,
    problem_of,
)

MESSAGE = {"conversation", "seq", "position", "sender", "timestamp", "kind", "text"}
CONVERSATION = {"id", "kind", "title", "members", "last_message", "last_seq", "read_seq", "unread"}


# Conversations


def test_a_direct_conversation_is_made_once(alice, bob):
    first = alice.api.post("/conversations", {"kind": "direct", "member_ids": [bob.id]})
    assert first.status_code == 201
    assert first.headers["Location"].endswith(f"/api/v1/conversations/{first.json()['id']}")
    assert first.json()["kind"] == "direct"
    assert member_ids(first.json()) == {alice.id, bob.id}
    again = alice.api.post("/conversations", {"kind": "direct", "member_ids": [bob.id]})
    other_side = bob.api.post("/conversations", {"kind": "direct", "member_ids": [alice.id]})
    assert again.status_code == other_side.status_code == 200
    assert again.json()["id"] == other_side.json()["id"] == first.json()["id"]


def test_direct_conversations_of_different_pairs_are_different(alice, bob, person):
    carol = person("carol")
    assert len({direct(alice, bob), direct(alice, carol), direct(bob, carol)}) == 3


def test_a_group_has_its_founder_its_members_and_a_title(alice, bob, person):
    carol = person("carol")
    answer = alice.api.post(
        "/conversations", {"kind": "group", "title": "Ground floor ⚡", "member_ids": [bob.id, carol.id]}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert (made["kind"], made["title"]) == ("group", "Ground floor ⚡")
    assert member_ids(made) == {alice.id, bob.id, carol.id}


def test_two_groups_of_the_same_people_are_two(alice, bob):
    assert group(alice, bob) != group(alice, bob)


def test_every_member_finds_the_conversation_in_the_list(alice, bob, person):
    carol, stranger = person("carol"), person("stranger")
    conversation = group(alice, bob, carol)
    for member in (alice, bob, carol):
        [found] = [item for item in member.api.items("/conversations") if item["id"] == conversation]
        assert set(found) >= CONVERSATION
    assert conversation not in [item["id"] for item in stranger.api.items("/conversations")]


def test_the_list_is_newest_activity_first_and_a_snapshot(alice, bob, person):
    carol = person("carol")
    first, second = direct(alice, bob), direct(alice, carol)
    post_message(alice, second, "one")
    message = post_message(alice, first, "two")
    answer = alice.api.get("/conversations").json()
    assert [item["id"] for item in answer["items"]] == [first, second]
    assert answer["items"][0]["last_seq"] == 1
    assert answer["items"][0]["last_message"]["text"] == "two"
    assert answer["epoch"]
    assert answer["position"] >= message["position"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "direct", "member_ids": []},
        {"kind": "direct"},
        {"kind": "circus", "member_ids": ["u1"]},
        {"member_ids": ["u1"]},
        {"kind": "direct", "member_ids": "u1"},
        {"kind": "direct", "member_ids": [1]},
    ],
    ids=str,
)
def test_a_conversation_with_a_bad_field_is_refused(alice, body):
    problem = problem_of(alice.api.post("/conversations", body), INVALID, "validation")
    assert pointers(problem)


@pytest.mark.parametrize("kind", ["direct", "group"])
def test_a_conversation_with_an_unknown_user_is_refused(alice, kind):
    body = {"kind": kind, "title": "Ghosts", "member_ids": ["no-such-user"]}
    problem_of(alice.api.post("/conversations", body), INVALID | {404})


def test_a_direct_conversation_has_exactly_one_other(alice, bob, person):
    crowd = {"kind": "direct", "member_ids": [bob.id, person().id]}
    problem_of(alice.api.post("/conversations", crowd), INVALID)


# Messages


def test_a_posted_message_is_201_and_the_message(alice, bob):
    conversation = direct(alice, bob)
    answer = alice.api.post(
        f"/conversations/{conversation}/messages", {"text": 'Hello ⚡ "Bob"\n\\o/', "key": "k-1"}
    )
    assert answer.status_code == 201
    message = answer.json()
    assert set(message) >= MESSAGE
    assert (message["conversation"], message["seq"], message["sender"]) == (conversation, 1, alice.id)
    assert (message["kind"], message["text"], message["key"]) == ("text", 'Hello ⚡ "Bob"\n\\o/', "k-1")
    assert TIME.fullmatch(message["timestamp"])
    [read] = messages(bob, conversation)["items"]
    assert {name: read[name] for name in MESSAGE} == {name: message[name] for name in MESSAGE}
    assert "key" not in read, "the key is for the sender's own sessions"


def test_seq_counts_from_1_in_each_conversation_and_position_grows_over_all(alice, bob, person):
    one, other = direct(alice, bob), direct(alice, person("carol"))
    posted = [post_message(alice, (one, other)[number % 2], f"{number}") for number in range(8)]
    assert [message["seq"] for message in posted] == [1, 1, 2, 2, 3, 3, 4, 4]
    positions = [message["position"] for message in posted]
    assert positions == sorted(set(positions))


def test_a_retry_is_200_and_the_first_message(alice, bob):
    conversation, key = direct(alice, bob), fresh_key()
    path = f"/conversations/{conversation}/messages"
    first = alice.api.post(path, {"text": "once", "key": key})
    post_message(alice, conversation, "between")
    again = alice.api.post(path, {"text": "once", "key": key})
    assert (first.status_code, again.status_code) == (201, 200)
    for name in ("seq", "position", "timestamp"):
        assert again.json()[name] == first.json()[name]
    assert [message["text"] for message in every_message(bob, conversation)] == ["once", "between"]


def test_the_same_key_with_another_text_is_a_conflict(alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "first", key="k")
    answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": "second", "key": "k"})
    problem_of(answer, CONFLICT, "idempotency-conflict")
    assert [message["text"] for message in every_message(bob, conversation)] == ["first"]


def test_the_same_key_of_another_sender_is_another_message(alice, bob):
    conversation = direct(alice, bob)
    assert post_message(alice, conversation, "same", key="k")["seq"] == 1
    assert post_message(bob, conversation, "same", key="k")["seq"] == 2


def test_text_is_trimmed(alice, bob):
    conversation = direct(alice, bob)
    assert post_message(alice, conversation, " \t\n  to the point \n ")["text"] == "to the point"


@pytest.mark.parametrize(
    "text", ["x", "é" * 8000, " " + "y" * 8000 + " "], ids=["1", "8000", "8000 and blanks"]
)
def test_text_at_the_limits_is_taken(alice, bob, text):
    assert post_message(alice, direct(alice, bob), text)["text"] == text.strip()


@pytest.mark.parametrize(
    "text", ["", " \n\t ", "x" * 8001, 7, None], ids=["empty", "blank", "8001", "number", "null"]
)
def test_bad_text_is_refused(alice, bob, text):
    conversation = direct(alice, bob)
    answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": text, "key": fresh_key()})
    assert pointers(problem_of(answer, INVALID, "validation")) == {"text"}
    assert every_message(alice, conversation) == []


@pytest.mark.parametrize("key", [b"\xe9", b"\xff\xfe", b"a b", b"k" * 256], ids=["latin", "no UTF-8", "space", "256"])
def test_a_header_that_cannot_be_a_key_is_refused(alice, bob, key):
    path = f"/conversations/{direct(alice, bob)}/messages"
    problem_of(alice.api.post(path, {"text": "x"}, headers={"Idempotency-Key": key}), 422, "validation")


def test_fields_that_a_message_does_not_have_are_ignored(alice, bob):
    body = {"text": "x", "key": fresh_key(), "limit": "all", "conversation": 7, "type": {}, "token": None}
    assert alice.api.post(f"/conversations/{direct(alice, bob)}/messages", body).status_code == 201


@pytest.mark.parametrize(("number", "status"), [("1", 201), ("1.0", 201), ("10e-1", 201), ("1.5", 422), ("1e99", 422)])
def test_a_whole_number_may_be_written_in_any_way(alice, bob, number, status):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "first")
    body = f'{{"text": "second", "key": "{fresh_key()}", "reply_to": {number}}}'
    headers = {"Content-Type": "application/json"}
    answer = alice.api.request("POST", f"/conversations/{conversation}/messages", data=body, headers=headers)
    assert answer.status_code == status, answer.text


def test_the_sender_cannot_be_forged(alice, bob):
    conversation = direct(alice, bob)
    body = {"text": "I am Bob", "key": fresh_key(), "sender": bob.id}
    answer = alice.api.post(f"/conversations/{conversation}/messages", body)
    assert answer.status_code in (201, 403)  # ignored, or refused as a field the caller may not set
    assert {message["sender"] for message in every_message(bob, conversation)} <= {alice.id}


# Pages


@pytest.fixture
def ten(alice, bob) -> str:
    """A conversation with the messages 1 to 10."""
    conversation = direct(alice, bob)
    for number in range(1, 11):
        post_message(alice, conversation, str(number))
    return conversation


@pytest.mark.parametrize(
    ("query", "seqs", "more"),
    [
        ({"after_seq": 0}, range(1, 11), False),
        ({"after_seq": 0, "limit": 4}, range(1, 5), True),
        ({"after_seq": 6, "limit": 4}, range(7, 11), False),
        ({"after_seq": 6, "limit": 3}, range(7, 10), True),
        ({"after_seq": 10}, [], False),
        ({"before_seq": 11, "limit": 4}, range(7, 11), True),
        ({"before_seq": 5, "limit": 4}, range(1, 5), False),
        ({"before_seq": 5, "limit": 3}, range(2, 5), True),
        ({"before_seq": 1}, [], False),
        ({"limit": 3}, range(8, 11), True),
        ({}, range(1, 11), False),
    ],
    ids=str,
)
def test_a_page_is_ascending_and_says_whether_there_is_more(bob, ten, query, seqs, more):
    page = messages(bob, ten, **query)
    assert [message["seq"] for message in page["items"]] == list(seqs)
    assert [message["text"] for message in page["items"]] == list(map(str, seqs))
    assert page["more"] is more


@pytest.mark.parametrize(
    "query",
    [
        {"after_seq": "x"},
        {"limit": "0"},
        {"limit": "x"},
        {"after_seq": "9" * 30},
    ],
    ids=str,
)
def test_a_bad_page_query_is_refused(bob, ten, query):
    problem_of(bob.api.get(f"/conversations/{ten}/messages", params=query), INVALID)


# Strangers


@pytest.mark.parametrize("conversation", ["no-such-conversation", "c0", "c99999999999999999999", "-1"])
def test_an_unknown_conversation_is_404(alice, conversation):
    problem_of(alice.api.get(f"/conversations/{conversation}/messages"), 404, "not-found")
    answer = alice.api.post(f"/conversations/{conversation}/messages", {"text": "hello?", "key": fresh_key()})
    problem_of(answer, 404, "not-found")


def test_a_stranger_gets_404_for_reading_and_writing(alice, bob, person, administrator):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "secret")
    path = f"/conversations/{conversation}/messages"
    for stranger in (person("stranger"), administrator):
        problem_of(stranger.api.get(path), 404, "not-found")
        problem_of(stranger.api.post(path, {"text": "let me in", "key": fresh_key()}), 404, "not-found")
    assert [message["text"] for message in every_message(bob, conversation)] == ["secret"]


def test_the_idempotency_key_stands_for_a_key_that_is_not_in_the_body(alice, bob):
    conversation = direct(alice, bob)
    path, headers = f"/conversations/{conversation}/messages", {"Idempotency-Key": "header-key"}
    first = alice.api.post(path, {"text": "once"}, headers=headers)
    again = alice.api.post(path, {"text": "once"}, headers=headers)
    assert first.status_code == 201 and again.json()["seq"] == first.json()["seq"] == 1
    assert again.json()["key"] == "header-key"
    assert problem_of(alice.api.post(path, {"text": "other"}, headers=headers), CONFLICT, "idempotency-conflict")


def test_a_conversation_is_made_once_for_an_idempotency_key(alice, bob):
    headers, body = {"Idempotency-Key": "talk"}, {"kind": "group", "title": "T", "member_ids": [bob.id]}
    first = alice.api.post("/conversations", body, headers=headers)
    again = alice.api.post("/conversations", body, headers=headers)
    assert first.status_code == 201 and again.json() == first.json()
    assert len(alice.api.items("/conversations")) == 1
    problem_of(alice.api.post("/conversations", body | {"title": "U"}, headers=headers), 422, "idempotency-conflict")


def test_a_member_name_may_be_written_with_escapes(alice, bob):
    """RFC 8259 §8.3: `te\\u0078t` is the name `text`."""
    conversation = direct(alice, bob)
    answer = alice.api.request(
        "POST", f"/conversations/{conversation}/messages", data=b'{"te\\u0078t":"hello","k\\u0065y":"escaped"}',
        headers={"Content-Type": "application/json"})
    assert answer.status_code == 201 and answer.json()["text"] == "hello"
