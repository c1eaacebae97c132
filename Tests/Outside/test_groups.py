"""Conversations that change: titles, members who come and go, and who is told."""

import asyncio

import pytest

from harness.api import (
    admin,
    create_user,
    direct,
    every_message,
    group,
    member_ids,
    messages,
    pointers,
    post_message,
    problem_of,
)
from harness.chat import add, conversation_of, delete, edit, positioned, positions, read, remove, retitle
from harness.client import Client


def profile(user) -> dict:
    answer = user.api.get("/users/me").json()
    return {name: answer[name] for name in ("id", "username", "display_name")}


async def everything_is_not_found(client, user, conversation):
    """What somebody meets who is no member (any more)."""
    await client.problem("send", "not-found", conversation=conversation, text="hello?", key="k-gone")
    await client.problem("history", "not-found", conversation=conversation, after_seq=0, limit=10)
    await client.problem("typing", "not-found", conversation=conversation, active=True)
    await client.problem("read", "not-found", conversation=conversation, seq=1)
    await client.problem("received", "not-found", conversation=conversation, seq=1)
    await client.problem("edit", "not-found", conversation=conversation, seq=1, text="x")
    await client.problem("delete", "not-found", conversation=conversation, seq=1)
    path = f"/conversations/{conversation}"
    for answer in (
        user.api.get(path),
        user.api.get(f"{path}/messages"),
        user.api.post(f"{path}/messages", {"text": "hello?", "key": "k-gone"}),
        user.api.post(f"{path}/members", {"user_id": user.id}),
        user.api.get("/search", params={"q": "word", "conversation_id": conversation}),
        retitle(user, conversation, "mine"),
        remove(user, conversation, user),
        edit(user, conversation, 1, "x"),
        delete(user, conversation, 1),
        read(user, conversation, 1),
    ):
        problem_of(answer, 404, "not-found")
    assert conversation not in [one["id"] for one in user.api.items("/conversations", params={"limit": 500})]


# Made


async def test_a_new_conversation_is_told_its_members(connect, alice, bob, person):
    carol = person("carol")
    hers, his, others = await connect(alice), await connect(bob), await connect(person("stranger"))
    conversation = group(alice, bob, carol, title="Trip")
    for session in (hers, his):
        heard = await session.expect("conversation", conversation=conversation)
        assert (heard["change"], heard["kind"], heard["title"], heard["by"]) == ("created", "group", "Trip", alice.id)
        assert heard["position"] > 0
        assert sorted(heard["members"], key=lambda one: one["id"]) == sorted(
            map(profile, (alice, bob, carol)), key=lambda one: one["id"])
    pair = direct(alice, bob)
    assert (await his.expect("conversation", conversation=pair))["kind"] == "direct"
    assert direct(bob, alice) == pair, "there once: no second event"
    await his.settle()
    await others.settle()
    assert len(his.of("conversation")) == 2 and others.of("conversation") == []


# Titles


async def test_any_member_gives_a_title_and_everyone_hears_it(connect, alice, bob):
    conversation = group(alice, bob, title="Old")
    hers, his = await connect(alice), await connect(bob)
    answer = retitle(bob, conversation, "  New ⚡ ")
    assert answer.status_code == 200 and answer.headers["ETag"]
    assert (answer.json()["id"], answer.json()["title"]) == (conversation, "New ⚡")
    for session in (hers, his):
        heard = await session.expect("conversation")
        assert (heard["change"], heard["title"], heard["by"]) == ("updated", "New ⚡", bob.id)
    assert conversation_of(alice, conversation)["title"] == "New ⚡"
    assert retitle(alice, conversation, None).json()["title"] is None
    assert (await his.expect("conversation"))["title"] is None
    assert conversation_of(bob, conversation)["title"] is None


async def test_a_stale_if_match_changes_no_title(alice, bob):
    conversation = group(alice, bob, title="Old")
    etag = alice.api.get(f"/conversations/{conversation}").headers["ETag"]
    answer = retitle(alice, conversation, "One", headers={"If-Match": etag})
    assert answer.status_code == 200
    fresh = answer.headers["ETag"]
    problem_of(retitle(bob, conversation, "Two", headers={"If-Match": etag}), 412)
    assert conversation_of(bob, conversation)["title"] == "One"
    assert retitle(alice, conversation, "Three", headers={"If-Match": fresh}).status_code == 200


@pytest.mark.parametrize("title", ["", "x" * 1000, 5, ["x"]], ids=["empty", "1000", "5", "list"])
async def test_a_wrong_title_is_refused(alice, bob, title):
    conversation = group(alice, bob, title="Old")
    answer = retitle(alice, conversation, title)
    # An empty title may also be taken for none.
    assert answer.status_code in (400, 422) or (title == "" and answer.json()["title"] is None), answer.text
    if answer.status_code != 200:
        problem_of(answer, {400, 422}, "validation")
        assert conversation_of(bob, conversation)["title"] == "Old"


# Coming


async def test_any_member_adds_others_and_all_are_told(connect, alice, bob, person):
    """The members, the new one too, hear `member_added` with the profile."""
    carol = person("carol")
    conversation = group(alice, bob)
    sessions = [await connect(user) for user in (alice, bob, carol)]
    answer = bob.api.post(f"/conversations/{conversation}/members", {"user_id": carol.id})
    assert answer.status_code == 200 and member_ids(answer.json()) == {alice.id, bob.id, carol.id}
    for session in sessions:
        heard = await session.expect("conversation", conversation=conversation)
        assert (heard["change"], heard["user"], heard["by"]) == ("member_added", carol.id, bob.id)
        assert heard["profile"] == profile(carol)
    sent = await sessions[2].send(conversation, "I am here")
    assert sent["seq"] == 1
    assert (await sessions[0].expect("message"))["text"] == "I am here"


async def test_adding_again_is_no_event(connect, alice, bob, person):
    carol, dave = person("carol"), person("dave")
    conversation = group(alice, bob)
    his = await connect(bob)
    assert add(alice, conversation, carol, dave).status_code == 200
    answer = add(bob, conversation, carol, dave, bob)
    assert answer.status_code == 200 and len(answer.json()["members"]) == 4
    assert retitle(alice, conversation, "End").status_code == 200
    await his.expect("conversation", change="updated")
    added = [one["user"] for one in his.of("conversation") if one["change"] == "member_added"]
    assert sorted(added) == sorted([carol.id, dave.id])


async def test_a_new_member_reads_the_whole_history_and_nothing_of_it_is_new(connect, alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob)
    for number in range(5):
        post_message(alice, conversation, f"before {number}")
    assert add(alice, conversation, carol).status_code == 200
    shown = conversation_of(carol, conversation)
    assert (shown["unread"], shown["read_seq"], shown["last_seq"]) == (0, 5, 5)
    assert [one["text"] for one in every_message(carol, conversation)] == [f"before {n}" for n in range(5)]
    theirs = await connect(carol)
    assert len((await theirs.ok("history", conversation=conversation, after_seq=0, limit=10))["messages"]) == 5
    post_message(bob, conversation, "after")
    assert (await theirs.expect("message"))["seq"] == 6
    assert conversation_of(carol, conversation)["unread"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"user_id": "u99999999"}, {"user_id": 5}, {"member_ids": []}, {"member_ids": ["no"]}, {"member_ids": "x"}, []],
    ids=str,
)
async def test_wrong_members_are_refused_and_nobody_is_added(alice, bob, body):
    conversation = group(alice, bob)
    answer = alice.api.request("POST", f"/conversations/{conversation}/members", json=body)
    if body == {"member_ids": []} and answer.status_code == 200:
        pass  # nobody to add: nothing to do
    else:
        problem_of(answer, {400, 404, 422})
    assert member_ids(conversation_of(alice, conversation)) == {alice.id, bob.id}


async def test_one_wrong_member_among_good_ones_adds_nobody(alice, bob, person):
    carol, conversation = person("carol"), group(alice, bob)
    answer = alice.api.post(f"/conversations/{conversation}/members", {"member_ids": [carol.id, "u99999999"]})
    problem_of(answer, {400, 404, 422})
    assert member_ids(conversation_of(alice, conversation)) == {alice.id, bob.id}


async def test_strangers_change_nothing(connect, administrator, alice, bob, person):
    """Somebody who is no member is told that there is nothing, an administrator too."""
    conversation, stranger = group(alice, bob, title="Ours"), person("stranger")
    post_message(alice, conversation, "word")
    await everything_is_not_found(await connect(stranger), stranger, conversation)
    for user in (stranger, administrator):
        problem_of(add(user, conversation, stranger), 404, "not-found")
        problem_of(remove(user, conversation, bob), 404, "not-found")
    shown = conversation_of(alice, conversation)
    assert (shown["title"], member_ids(shown)) == ("Ours", {alice.id, bob.id})


# Going


async def test_a_removed_member_is_told_and_then_finds_nothing(connect, alice, bob, person):
    """Everywhere: sending, history, search, typing, marks; and nothing later is heard."""
    carol = person("carol")
    conversation = group(alice, bob, carol)
    post_message(alice, conversation, "a word before")
    theirs, his = await connect(carol), await connect(bob)
    answer = remove(alice, conversation, carol)
    assert (answer.status_code, answer.content) == (204, b"")
    for session in (theirs, his):
        heard = await session.expect("conversation")
        assert (heard["change"], heard["user"], heard["by"]) == ("member_removed", carol.id, alice.id)
        assert heard["profile"] == profile(carol)
    await everything_is_not_found(theirs, carol, conversation)
    assert carol.api.items("/search", params={"q": "word"}) == []

    post_message(alice, conversation, "a word after")
    assert edit(alice, conversation, 1, "a changed word").status_code == 200
    assert retitle(alice, conversation, "Without").status_code == 200
    assert read(bob, conversation, 2).status_code == 200
    hers = await connect(alice)
    await hers.ok("typing", conversation=conversation, active=True)
    await his.expect("typing")
    await theirs.settle()
    assert [one["type"] for one in positioned(theirs)] == ["conversation"]
    assert theirs.of("typing") == [] and theirs.of("receipt") == []
    back = await connect(carol)
    await back.ok("resume", epoch=back.hello["epoch"], position=heard["position"])
    assert positions(back) == []
    assert member_ids(conversation_of(bob, conversation)) == {alice.id, bob.id}
    problem_of(remove(alice, conversation, carol), 404, "not-found")


@pytest.mark.parametrize("by", ["socket", "rest"])
async def test_a_removed_member_does_not_hear_when_its_own_words_are_deleted(connect, administrator, alice, bob, by):
    conversation = group(alice, bob, administrator)
    his, boss, hers = await connect(bob), await connect(administrator), await connect(alice)
    await his.send(conversation, "words that stay")
    assert remove(alice, conversation, bob).status_code == 204
    removed = await his.expect("conversation", change="member_removed")
    if by == "socket":
        await boss.ok("delete", conversation=conversation, seq=1)
    else:
        assert delete(administrator, conversation, 1).status_code == 204
    await hers.expect("message", seq=1, text="")
    await his.settle()
    assert [one for one in positioned(his) if one["position"] > removed["position"]] == []


async def test_a_member_leaves(connect, alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    his, theirs = await connect(bob), await connect(carol)
    assert remove(carol, conversation, carol).status_code == 204
    for session in (his, theirs):
        heard = await session.expect("conversation", change="member_removed")
        assert (heard["user"], heard["by"]) == (carol.id, carol.id)
    await everything_is_not_found(theirs, carol, conversation)


async def test_the_founder_and_administrators_who_are_members_remove_others(administrator, alice, bob, person):
    carol, dave, boss = person("carol"), person("dave"), person("boss", "admin")
    conversation = group(alice, bob, carol, dave, boss)
    problem_of(remove(bob, conversation, carol), 403, "forbidden")
    problem_of(remove(bob, conversation, alice), 403, "forbidden")
    problem_of(remove(administrator, conversation, carol), 404, "not-found")
    assert remove(alice, conversation, carol).status_code == 204
    assert remove(boss, conversation, dave).status_code == 204
    assert member_ids(conversation_of(bob, conversation)) == {alice.id, bob.id, boss.id}
    problem_of(alice.api.request("DELETE", f"/conversations/{conversation}/members/u99999999"), 404, "not-found")


async def test_a_removed_members_words_stay(alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    post_message(carol, conversation, "I was here")
    assert remove(alice, conversation, carol).status_code == 204
    [kept] = messages(bob, conversation)["items"]
    assert (kept["sender"], kept["text"]) == (carol.id, "I was here")


async def test_a_member_who_comes_back(connect, alice, bob, person):
    """Everything is readable again, nothing of it is new, and what happened in between was not told."""
    carol = person("carol")
    conversation = group(alice, bob, carol)
    post_message(alice, conversation, "one")
    theirs = await connect(carol)
    assert remove(alice, conversation, carol).status_code == 204
    post_message(alice, conversation, "in between")
    assert add(bob, conversation, carol).status_code == 200
    post_message(alice, conversation, "two")
    await theirs.expect("message", text="two")
    assert [event.get("change") or event["text"] for event in positioned(theirs)] == [
        "member_removed", "member_added", "two"]
    shown = conversation_of(carol, conversation)
    assert (shown["unread"], shown["last_seq"]) == (1, 3)
    assert len(every_message(carol, conversation)) == 3


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_who_was_away_while_removed_and_added_is_replayed_what_was_told(serve, restarted):
    """The messages of the first membership, both changes, those of the second; not those of the time between."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob, carol = (create_user(boss, name) for name in ("alice", "bob", "carol"))
    conversation = group(alice, bob, carol)
    start = post_message(alice, conversation, "start")["position"]
    post_message(alice, conversation, "as a member")
    assert remove(alice, conversation, carol).status_code == 204
    post_message(alice, conversation, "in between")
    assert add(alice, conversation, carol).status_code == 200
    post_message(alice, conversation, "again")
    if restarted:
        running.kill()
        running.start()
    theirs = await Client.open(running, carol.token)
    await theirs.ok("resume", epoch=theirs.hello["epoch"], position=start)
    await theirs.close()
    assert [event.get("change") or event["text"] for event in positioned(theirs)] == [
        "as a member", "member_removed", "member_added", "again"]


async def test_the_last_one_may_leave(connect, alice, bob):
    conversation = group(alice, bob)
    assert remove(alice, conversation, alice).status_code == 204
    his = await connect(bob)
    assert (await his.send(conversation, "alone"))["seq"] == 1
    assert remove(bob, conversation, bob).status_code == 204
    await everything_is_not_found(his, bob, conversation)


# What has no title and no comings and goings


@pytest.mark.parametrize("kind", ["direct", "support"])
async def test_pairs_and_support_refuse_titles_and_members(connect, administrator, alice, bob, person, kind):
    carol = person("carol")
    conversation = direct(alice, bob) if kind == "direct" else alice.api.post("/support").json()["id"]
    before = member_ids(conversation_of(alice, conversation))
    hers = await connect(alice)
    problem_of(retitle(alice, conversation, "Ours"), 403, "forbidden")
    problem_of(add(alice, conversation, carol), 403, "forbidden")
    problem_of(remove(alice, conversation, alice), 403, "forbidden")
    other = bob if kind == "direct" else administrator
    problem_of(remove(alice, conversation, other), 403, "forbidden")
    problem_of(remove(other, conversation, alice), 403, "forbidden")
    await hers.settle()
    assert hers.of("conversation") == []
    assert member_ids(conversation_of(alice, conversation)) == before
    assert not conversation_of(alice, conversation).get("title")


async def test_members_come_and_go_while_everyone_sends(connect, alice, bob, person):
    """What the coming and going member heard lies between its additions and removals, and is gapless in between."""
    carol = person("carol")
    conversation = group(alice, bob)
    theirs = await connect(carol)
    hers = await connect(alice)
    going = True

    async def talk():
        while going:
            await hers.send(conversation, "words")

    talker = asyncio.create_task(talk())
    for _ in range(8):
        assert (await asyncio.to_thread(add, bob, conversation, carol)).status_code == 200
        await asyncio.sleep(0.03)
        assert (await asyncio.to_thread(remove, alice, conversation, carol)).status_code == 204
        await asyncio.sleep(0.01)
    going = False
    await talker
    await theirs.settle()
    heard = positioned(theirs)
    assert [one["position"] for one in heard] == sorted({one["position"] for one in heard})
    member, last = False, None
    for event in heard:
        if event["type"] == "conversation":
            member, last = event["change"] == "member_added", None
        else:
            assert member, "only a member hears messages"
            assert last is None or event["seq"] == last + 1
            last = event["seq"]
    assert [one["change"] for one in theirs.of("conversation")] == ["member_added", "member_removed"] * 8
    assert len(theirs.of("message")) > 8


async def test_comings_and_goings_outlive_a_kill(serve):
    server = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(server)
    alice, bob, carol = [create_user(boss, name) for name in ("alice", "bob", "carol")]
    conversation = group(alice, bob, title="One")
    post_message(bob, conversation, "words")
    add(alice, conversation, carol)
    remove(alice, conversation, bob)
    retitle(carol, conversation, "Two")
    before = conversation_of(alice, conversation)
    server.kill()
    server.start()
    assert conversation_of(alice, conversation) == before
    assert member_ids(before) == {alice.id, carol.id} and before["title"] == "Two"
    problem_of(bob.api.get(f"/conversations/{conversation}/messages"), 404, "not-found")
    assert conversation_of(carol, conversation)["unread"] == 0
    problem_of(remove(carol, conversation, alice), 403, "forbidden")
    his = await Client.open(server, bob.token)
    post_message(alice, conversation, "not for Bob")
    await his.problem("history", "not-found", conversation=conversation, after_seq=0, limit=1)
    assert positions(his) == []
    assert messages(carol, conversation)["items"][-1]["text"] == "not for Bob"
    await his.close()


def test_members_are_added_once_for_a_key(alice, bob, person):
    carol, dave = person("carol"), person("dave")
    conversation = group(alice, bob)
    path, key = f"/conversations/{conversation}/members", {"Idempotency-Key": "add-1"}
    first = alice.api.post(path, {"user_id": carol.id}, headers=key)
    assert first.status_code == 200
    assert alice.api.request("DELETE", f"{path}/{carol.id}").status_code == 204
    again = alice.api.post(path, {"user_id": carol.id}, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert member_ids(alice.api.get(f"/conversations/{conversation}").json()) == {alice.id, bob.id}, "no second effect"
    problem_of(alice.api.post(path, {"user_id": dave.id}, headers=key), 422, "idempotency-conflict")


def test_no_more_than_256_are_added_at_a_time(alice, bob):
    conversation = group(alice, bob)
    answer = alice.api.post(f"/conversations/{conversation}/members", {"member_ids": [bob.id] * 257})
    assert pointers(problem_of(answer, 422, "validation")) == {"member_ids"}
    assert alice.api.post(f"/conversations/{conversation}/members", {"member_ids": [bob.id] * 256}).status_code == 200


async def test_who_has_left_hears_nothing_of_its_own_messages(connect, administrator, alice, bob):
    conversation = group(alice, bob, administrator)
    theirs = await connect(bob)
    post_message(bob, conversation, "mine")
    assert remove(alice, conversation, bob).status_code == 204
    assert delete(administrator, conversation, 1).status_code == 204
    watching = await connect(alice)
    await watching.settle()
    await theirs.settle()
    assert [event for event in theirs.of("message") if "deleted_at" in event] == []


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_who_has_left_is_not_replayed_what_was_written_since(serve, restarted):
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = (create_user(boss, name) for name in ("alice", "bob"))
    conversation = group(alice, bob)
    start = post_message(alice, conversation, "harmless")["position"] - 1
    assert remove(alice, conversation, bob).status_code == 204
    assert edit(alice, conversation, 1, "secret").status_code == 200
    if restarted:
        running.kill()
        running.start()
    theirs = await Client.open(running, bob.token)
    await theirs.ok("resume", epoch=theirs.hello["epoch"], position=start)
    await theirs.close()
    assert [event.get("change") or event["text"] for event in positioned(theirs)] == ["member_removed"]
