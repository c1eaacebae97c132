"""Groups: their title, and members who come and go; everybody hears of it, and who has gone sees nothing more."""

import pytest

from harness.api import direct, every_message, group, member_ids, messages, post_message, problem_of


def patch(user, id, body, **options):
    return user.api.request("PATCH", f"/conversations/{id}", json=body, **options)


def add(user, id, body):
    return user.api.post(f"/conversations/{id}/members", body)


def remove(user, id, other):
    return user.api.request("DELETE", f"/conversations/{id}/members/{other.id}")


async def test_a_new_conversation_is_heard_by_its_members(connect, alice, bob):
    maker, peer = await connect(alice), await connect(bob)
    id = group(alice, bob, title="Cellar")
    for session in (maker, peer):
        event = await session.expect("conversation", conversation=id)
        assert (event["change"], event["kind"], event["title"], event["by"]) == ("created", "group", "Cellar", alice.id)
        assert {member["id"] for member in event["members"]} == {alice.id, bob.id} and event["position"] > 0
    direct(alice, bob)
    assert (await peer.expect("conversation"))["kind"] == "direct"
    direct(bob, alice)
    await peer.settle()
    assert len(peer.of("conversation")) == 2, "the pair had one already"


async def test_a_title_is_changed_by_any_member(connect, alice, bob):
    id = group(alice, bob, title="old")
    session = await connect(alice)
    tag = alice.api.get(f"/conversations/{id}").headers["ETag"]
    changed = patch(bob, id, {"title": " new "})
    assert changed.status_code == 200 and changed.json()["title"] == "new" and changed.headers["ETag"]
    event = await session.expect("conversation", change="updated")
    assert (event["title"], event["by"]) == ("new", bob.id)
    problem_of(patch(alice, id, {"title": "stale"}, headers={"If-Match": tag}), 412, "precondition-failed")
    fresh = alice.api.get(f"/conversations/{id}").headers["ETag"]
    assert patch(alice, id, {"title": None}, headers={"If-Match": fresh}).json()["title"] is None
    assert (await session.expect("conversation", change="updated"))["title"] is None
    assert patch(alice, id, {}).status_code == 200
    for body in ({"title": ""}, {"title": "x" * 201}, {"title": 5}, {"title": "a\nb"}):
        problem_of(patch(alice, id, body), {400, 422})
    await session.settle()
    assert len(session.of("conversation")) == 2


async def test_who_is_added_has_read_what_was_there_and_may_read_it(connect, alice, bob, person):
    carol = person("carol")
    id = group(alice, bob)
    for number in range(3):
        post_message(alice, id, f"before {number}")
    old, new = await connect(bob), await connect(carol)
    answer = add(bob, id, {"user_id": carol.id})
    assert answer.status_code == 200 and member_ids(answer.json()) == {alice.id, bob.id, carol.id}
    for session in (old, new):
        event = await session.expect("conversation", change="member_added")
        assert (event["user"], event["by"], event["profile"]["username"]) == (carol.id, bob.id, carol.username)
    conversation = carol.api.get(f"/conversations/{id}").json()
    assert (conversation["unread"], conversation["read_seq"], conversation["last_seq"]) == (0, 3, 3)
    assert len(every_message(carol, id)) == 3
    post_message(alice, id, "after")
    assert (await new.expect("message"))["text"] == "after"
    assert carol.api.get(f"/conversations/{id}").json()["unread"] == 1
    assert add(bob, id, {"member_ids": [carol.id]}).status_code == 200
    await old.settle()
    assert len([e for e in old.of("conversation") if e["change"] == "member_added"]) == 1, "a member already"


async def test_who_is_removed_is_told_and_sees_nothing_more(connect, alice, bob, person):
    carol = person("carol")
    id = group(alice, bob, carol)
    post_message(alice, id, "while a member")
    gone, left = await connect(carol), await connect(bob)
    assert remove(alice, id, carol).status_code == 204
    for session in (gone, left):
        event = await session.expect("conversation", change="member_removed")
        assert (event["user"], event["by"]) == (carol.id, alice.id)
    post_message(alice, id, "without her")
    await left.expect("message", text="without her")
    await gone.settle()
    assert gone.of("message") == []
    await gone.problem("send", "not-found", conversation=id, key="k", text="x")
    await gone.problem("history", "not-found", conversation=id)
    await gone.problem("typing", "not-found", conversation=id, active=True)
    await gone.problem("read", "not-found", conversation=id, seq=1)
    for answer in (
        carol.api.get(f"/conversations/{id}"),
        carol.api.get(f"/conversations/{id}/messages"),
        patch(carol, id, {"title": "mine"}),
        add(carol, id, {"user_id": carol.id}),
        remove(carol, id, carol),
    ):
        problem_of(answer, 404, "not-found")
    assert id not in [conversation["id"] for conversation in carol.api.items("/conversations")]
    assert remove(alice, id, bob).status_code == 204
    assert add(alice, id, {"user_id": carol.id}).status_code == 200
    assert [m["text"] for m in messages(carol, id)["items"]] == ["while a member", "without her"]


def test_one_may_leave_and_only_the_founder_or_an_administrator_removes(administrator, alice, bob, person):
    carol, dave = person("carol"), person("dave")
    id = group(alice, bob, carol, dave, administrator)
    problem_of(remove(bob, id, carol), 403, "forbidden")
    assert remove(bob, id, bob).status_code == 204
    assert remove(administrator, id, carol).status_code == 204
    assert remove(alice, id, dave).status_code == 204
    problem_of(remove(alice, id, dave), 404, "not-found")
    assert member_ids(alice.api.get(f"/conversations/{id}").json()) == {alice.id, administrator.id}
    other = group(bob, carol)
    problem_of(remove(administrator, other, carol), 404, "not-found")


def test_pairs_and_support_stay_as_they_are(administrator, alice, bob, person):
    carol = person("carol")
    for id in (direct(alice, bob), alice.api.post("/support").json()["id"]):
        problem_of(patch(alice, id, {"title": "x"}), 403, "forbidden")
        problem_of(add(alice, id, {"user_id": carol.id}), 403, "forbidden")
        problem_of(remove(alice, id, alice), 403, "forbidden")


@pytest.mark.parametrize("body", [{}, {"user_id": "u999999"}, {"user_id": "x"}, {"member_ids": []}, {"user_id": "u0"},
                                  {"member_ids": ["u999999"]}, {"user_id": 7}])  # fmt: skip
def test_only_users_are_added(alice, bob, body):
    id = group(alice, bob)
    problem_of(add(alice, id, body), {400, 422})
    assert member_ids(alice.api.get(f"/conversations/{id}").json()) == {alice.id, bob.id}


async def test_a_new_administrator_is_told_of_support_conversations(connect, administrator, alice, person):
    id = alice.api.post("/support").json()["id"]
    session = await connect(alice)
    promoted = person("boss")
    answer = administrator.api.request("PATCH", f"/users/{promoted.id}", json={"role": "admin"})
    assert answer.status_code == 200
    event = await session.expect("conversation", conversation=id, change="member_added")
    assert event["user"] == promoted.id
    assert administrator.api.request("PATCH", f"/users/{promoted.id}", json={"role": "client"}).status_code == 200
    assert (await session.expect("conversation", change="member_removed"))["user"] == promoted.id
