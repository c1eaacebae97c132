"""Contract §3 rules 1 and 4: `resume` gives every event after a position, once and in order, or says `resync`."""

import asyncio
import time

import pytest

from harness.api import admin, create_user, direct, fresh_key, group, login, post_message
from harness.chat import add, ascending, delete, edit, positioned, positions, read, remove, retitle, send_many
from harness.client import Client
from harness.energy import at, create_device, interval, send
from harness.raw import RawConnection, text

NOON = at("2026-02-03T12:00")
MOST = 10_000
# A server may keep what is new at hand. After a restart everything comes from the store.
RESTARTS = pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])


async def resume(client, position, epoch=None, **options) -> dict:
    return await client.ok("resume", epoch=epoch or client.hello["epoch"], position=position, **options)


async def test_resume_gives_what_was_missed_in_order_and_then_ok(connect, alice, bob):
    """Every event after the position, ascending, all of them before `ok {position}`."""
    conversation = direct(alice, bob)
    sent = [post_message(alice, conversation, f"{number}") for number in range(10)]
    his = await connect(bob)
    ok = await resume(his, sent[3]["position"])
    # `ok` came just now: whatever the replay is, it has come before it.
    assert positions(his) == [message["position"] for message in sent[4:]]
    assert [event["text"] for event in positioned(his)] == [str(number) for number in range(4, 10)]
    assert ok["position"] >= sent[-1]["position"]
    assert his.of("resync") == []


async def test_nothing_missed_is_no_event(connect, alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "old")
    his = await connect(bob)
    ok = await resume(his, his.hello["position"])
    assert ok["position"] >= his.hello["position"]
    assert positions(his) == []


async def test_a_replay_holds_own_events_only(connect, alice, bob, person):
    """Positions are the store's: others' conversations leave holes, and nothing of them is shown."""
    carol, dave = person("carol"), person("dave")
    mine, theirs = direct(alice, bob), direct(carol, dave)
    start = post_message(alice, mine, "start")["position"]
    wanted = []
    for number in range(5):
        post_message(carol, theirs, f"secret {number}")
        wanted.append(post_message(alice, mine, f"{number}")["position"])
    his = await connect(bob)
    await resume(his, start)
    assert positions(his) == wanted


async def test_own_messages_are_replayed_with_their_key(connect, alice, bob):
    conversation = direct(alice, bob)
    sent = post_message(alice, conversation, "mine", key="k-9")
    hers, his = await connect(alice), await connect(bob)
    await resume(hers, sent["position"] - 1)
    await resume(his, sent["position"] - 1)
    assert positioned(hers)[-1]["key"] == "k-9"
    assert "key" not in positioned(his)[-1]


async def test_no_gap_and_no_repeat_while_everyone_sends(connect, alice, bob, person):
    """Replay and live traffic meet: every position once, ascending on the whole connection."""
    carol = person("carol")
    conversation = group(alice, bob, carol)
    before = post_message(alice, conversation, "start")
    mouths = [await connect(user) for user in (alice, alice, carol, carol)]
    going, acked = True, []

    async def talk(mouth):
        while going:
            acked.append((await mouth.send(conversation, f"{len(acked)}"))["position"])

    talkers = [asyncio.create_task(talk(mouth)) for mouth in mouths]
    ears = []
    for _ in range(12):
        await asyncio.sleep(0.05)
        ear = await connect(bob)
        await resume(ear, before["position"])
        ears.append(ear)
    await asyncio.sleep(0.2)
    going = False
    await asyncio.gather(*talkers)
    last = await mouths[0].send(conversation, "last")
    wanted = sorted(acked) + [last["position"]]
    assert len(wanted) > 100
    for ear in ears:
        await ear.expect("message", text="last")
        assert positions(ear) == wanted


async def test_a_torn_connection_goes_on_where_it_was(connect, alice, bob, server):
    """The client's own record over many connections, each torn off, is the whole log."""
    conversation = direct(alice, bob)
    hers = await connect(alice)
    first = await hers.send(conversation, "start")
    position, heard, acked = first["position"], [], []
    talker = asyncio.create_task(send_many(hers, conversation, [str(n) for n in range(1500)], at_once=10))
    while not talker.done():
        ear = await Client.open(server, bob.token)
        await resume(ear, position)
        await asyncio.sleep(0.03)
        ear.connection.transport.abort()
        await ear._reader
        heard += positions(ear)
        position = heard[-1] if heard else position
    acked = [answer["position"] for answer in await talker]
    ear = await connect(bob)
    await resume(ear, position)
    assert heard + positions(ear) == acked


async def test_after_a_kill_the_old_position_is_good(serve):
    """`kill -9`, a restart, the old epoch and position: what was acknowledged is replayed."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    his, hers = await Client.open(running, bob.token), await Client.open(running, alice.token)
    start = (await hers.send(conversation, "start"))["position"]
    epoch = his.hello["epoch"]
    acked = [(await hers.send(conversation, f"{n}"))["position"] for n in range(50)]
    running.kill()
    running.start()
    back = await Client.open(running, bob.token)
    assert back.hello["epoch"] == epoch and back.hello["position"] >= acked[-1]
    await resume(back, start, epoch)
    assert positions(back) == acked
    hers = await Client.open(running, alice.token)
    after = await hers.send(conversation, "after")
    assert after["position"] > acked[-1] and after["seq"] == 52
    assert (await back.expect("message", text="after"))["position"] == after["position"]
    for client in (back, hers):
        await client.close()


@pytest.mark.parametrize("case", ["other epoch", "beyond"])
async def test_what_is_not_of_this_store_is_a_resync(connect, alice, bob, case):
    """Another epoch, or a position beyond the store's: `resync epoch_changed`, then ok; live traffic goes on."""
    conversation = direct(alice, bob)
    start = post_message(alice, conversation, "old")["position"]
    his = await connect(bob)
    if case == "other epoch":
        ok = await resume(his, start - 1, epoch="no-such-epoch")
    else:
        ok = await resume(his, his.hello["position"] + 1_000_000)
    assert [event["reason"] for event in his.of("resync")] == ["epoch_changed"]
    assert start <= ok["position"] <= his.hello["position"] + 1000
    assert positions(his) == [], "a resync and no part"
    post_message(alice, conversation, "new")
    await his.expect("message", text="new")
    assert len(positions(his)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"epoch": "x"},
        {"position": 1},
        {"epoch": 5, "position": 1},
        {"epoch": "x", "position": "1"},
        {"epoch": "x", "position": -1},
        {"epoch": "x", "position": 1.5},
        {"epoch": "x", "position": 10**30},
        {"epoch": None, "position": None},
    ],
    ids=str,
)
async def test_a_resume_with_wrong_fields_is_refused_and_harms_nothing(connect, alice, bob, fields):
    conversation = direct(alice, bob)
    his = await connect(bob)
    answer = await his.request("resume", **fields)
    # A number that is no place of any log may also be called another store's.
    if answer["type"] == "error":
        assert answer["problem"] == "/problems/validation", answer
    else:
        assert [event["reason"] for event in his.of("resync")] == ["epoch_changed"], answer
    post_message(alice, conversation, "still here")
    await his.expect("message", text="still here")


@RESTARTS
async def test_more_than_ten_thousand_missed_is_too_many(serve, restarted):
    """10,000 events are replayed; one more is `resync too_many` and no event."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    mouths = [await Client.open(running, alice.token) for _ in range(4)]
    start = post_message(alice, conversation, "start")["position"]
    each = MOST // len(mouths)
    acks = await asyncio.gather(*[send_many(mouth, conversation, ["x"] * each, at_once=500) for mouth in mouths])
    acked = sorted(answer["position"] for answers in acks for answer in answers)
    assert len(acked) == MOST
    if restarted:
        running.kill()
        running.start()

    just = await Client.open(running, bob.token)
    await resume(just, start, timeout=30)
    assert just.of("resync") == [] and positions(just) == acked

    over = await Client.open(running, bob.token)
    ok = await resume(over, start - 1, timeout=30)
    assert [event["reason"] for event in over.of("resync")] == ["too_many"]
    assert positions(over) == [], "never a part"
    assert ok["position"] >= acked[-1]
    post_message(alice, conversation, "live")
    await over.expect("message", text="live")
    assert len(positions(over)) == 1
    assert bob.api.get("/conversations").json()["position"] >= ok["position"], "where to go on"
    for client in (*mouths, just, over):
        await client.close()


async def test_a_replay_much_larger_than_the_send_buffer_arrives_whole(connect, alice, bob):
    """Megabytes of missed text to one client that reads: no 4008, no resync, and requests go on."""
    conversation = direct(alice, bob)
    hers = await connect(alice)
    start = post_message(alice, conversation, "start")["position"]
    acks = await send_many(hers, conversation, [f"{n} " + "⚡" * 7990 for n in range(400)], at_once=50)
    his = await connect(bob)
    ok = await resume(his, start, timeout=30)
    assert positions(his) == [answer["position"] for answer in acks]
    assert all(len(event["text"]) > 7990 for event in positioned(his))
    assert ok["position"] >= acks[-1]["position"] and his.close_code is None


async def test_a_slow_reader_of_a_large_replay_gets_all_of_it(alice, bob, connect, server):
    """One that reads in small steps is waited for, while live messages come behind the replay."""
    conversation = direct(alice, bob)
    hers = await connect(alice)
    start = post_message(alice, conversation, "start")["position"]
    acks = await send_many(hers, conversation, ["y" * 7990] * 600, at_once=50)

    def slowly(raw):
        got = []
        while True:
            event = raw.message()
            if event["type"] == "message":
                got.append(event)
                if len(got) % 20 == 0:
                    time.sleep(0.05)
                if event["text"] == "the last":
                    return got

    with RawConnection(server, receive_buffer=16384) as raw:
        raw.upgrade(bob.token)
        epoch = raw.message(type="hello")["epoch"]
        raw.send(text(type="resume", id="r", epoch=epoch, position=start))
        reading = asyncio.create_task(asyncio.to_thread(slowly, raw))
        await asyncio.sleep(0.3)
        live = await hers.send(conversation, "the last")
        got = await reading
    assert [event["position"] for event in got] == [answer["position"] for answer in acks] + [live["position"]]


async def test_a_client_that_never_resumes_hears_what_happens(connect, alice, bob):
    """The hold after `hello` ends by itself, and nothing that came in it is lost."""
    conversation = direct(alice, bob)
    his = await connect(bob)
    sent = [post_message(alice, conversation, f"{number}") for number in range(5)]
    for message in sent:
        heard = await his.expect("message", timeout=1, seq=message["seq"])
        assert heard["position"] == message["position"]
    assert positions(his) == [message["position"] for message in sent]


@RESTARTS
async def test_everything_with_a_position_is_replayed(serve, restarted):
    """The replay of a long history holds the events of a session that was there, and no other."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob, carol = (create_user(boss, name) for name in ("alice", "bob", "carol"))
    witness = await Client.open(running, bob.token)
    start, epoch = witness.hello["position"], witness.hello["epoch"]
    pair, flock = direct(alice, bob), group(alice, bob, title="Flock")
    for number in range(1, 5):
        post_message(alice, flock, f"words {number}")
    post_message(bob, pair, "mine")
    assert edit(alice, flock, 1, "changed").status_code == 200
    assert delete(alice, flock, 2).status_code == 204
    assert retitle(alice, flock, "Herd").status_code == 200
    assert add(alice, flock, carol).status_code == 200
    assert read(bob, flock, 2).status_code == 200
    assert read(bob, flock, 4, private=True).status_code == 200
    assert read(carol, flock, 3).status_code == 200
    post_message(carol, flock, "hello")
    assert remove(alice, flock, carol).status_code == 204
    device = create_device(boss, bob, max_hourly_kwh=2)
    send(boss, device, [interval(NOON, NOON.replace(hour=13), 3)])
    send(boss, device, [interval(NOON, NOON.replace(hour=13), 1)])
    await witness.expect("alert", state="cleared")
    last = post_message(alice, pair, "the end")
    await witness.expect("message", text="the end")
    await witness.close()
    if restarted:
        running.kill()
        running.start()

    late = await Client.open(running, bob.token)
    await resume(late, start, epoch)
    await late.close()
    assert [place(event) for event in positioned(late)] == [place(event) for event in positioned(witness)]
    assert ascending(positions(late)) and positions(late)[-1] == last["position"]
    for kind in ("conversation", "receipt", "alert"):
        assert late.of(kind) == witness.of(kind)
    changes = [event["change"] for event in late.of("conversation") if event["conversation"] == flock]
    assert changes == ["created", "updated", "member_added", "member_removed"]
    assert [one["read_seq"] for one in late.of("receipt") if one["user"] == bob.id] == [2, 4]
    assert [one["state"] for one in late.of("alert")] == ["firing", "cleared"]


def place(event: dict) -> tuple:
    return tuple(event.get(name) for name in ("type", "position", "conversation", "seq"))


@RESTARTS
async def test_a_replay_shows_a_message_as_it_stands_now(serve, restarted):
    """Every event of a message: the edited text, and nothing of a deleted one, at the position of that event."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    first, second = (post_message(alice, conversation, f"regretted {n}") for n in (1, 2))
    edited = edit(alice, conversation, 1, "changed").json()
    assert delete(alice, conversation, 2).status_code == 204
    if restarted:
        running.kill()
        running.start()
    his = await Client.open(running, bob.token)
    await resume(his, first["position"] - 1)
    await his.close()
    events = positioned(his)
    assert [event["position"] for event in events][:3] == [
        first["position"], second["position"], edited["position"]]
    assert [(event["seq"], event["text"]) for event in events] == [
        (1, "changed"), (2, ""), (1, "changed"), (2, "")]
    assert all(("edited_at" if event["seq"] == 1 else "deleted_at") in event for event in events)
    assert "regretted" not in str(his.events)


async def test_a_removed_member_is_replayed_the_removal_and_nothing_after_it(connect, alice, bob, person):
    carol = person("carol")
    conversation = group(alice, bob, carol)
    start = post_message(alice, conversation, "start")["position"]
    post_message(alice, conversation, "for Carol too")
    assert remove(alice, conversation, carol).status_code == 204
    post_message(alice, conversation, "not for Carol")
    assert retitle(alice, conversation, "Without Carol").status_code == 200
    theirs = await connect(carol)
    await resume(theirs, start)
    kinds = [(event["type"], event.get("change")) for event in positioned(theirs)]
    assert kinds[-1] == ("conversation", "member_removed") and kinds.count(kinds[-1]) == 1
    assert theirs.of("conversation")[-1]["user"] == carol.id
    assert "not for Carol" not in str(theirs.events) and "Without Carol" not in str(theirs.events)


async def test_a_new_member_is_replayed_what_came_since(connect, alice, bob, person):
    """From the position before the invitation on; the position of the invitation is among them."""
    carol = person("carol")
    conversation = group(alice, bob)
    post_message(alice, conversation, "before Carol")
    theirs = await connect(carol)
    start = theirs.hello["position"]
    assert add(alice, conversation, carol).status_code == 200
    after = post_message(alice, conversation, "with Carol")
    back = await connect(carol)
    await resume(back, start)
    assert [(e["type"], e.get("change")) for e in positioned(back)] == [
        ("conversation", "member_added"), ("message", None)]
    assert positions(back)[-1] == after["position"]


async def test_a_second_resume_rewinds(connect, alice, bob):
    """The same position again gives the same events again, and live traffic goes on once behind it."""
    conversation = direct(alice, bob)
    sent = [post_message(alice, conversation, f"{n}")["position"] for n in range(6)]
    his = await connect(bob)
    await resume(his, sent[0])
    assert positions(his) == sent[1:]
    await resume(his, sent[3])
    assert positions(his) == sent[1:] + sent[4:]
    live = post_message(alice, conversation, "live")["position"]
    await his.expect("message", text="live")
    await his.settle()
    assert positions(his) == sent[1:] + sent[4:] + [live]


async def test_two_resumes_at_once_are_two_replays(connect, alice, bob):
    conversation = direct(alice, bob)
    sent = [post_message(alice, conversation, f"{n}")["position"] for n in range(20)]
    his = await connect(bob)
    epoch = his.hello["epoch"]
    waiting = [await his.begin("resume", epoch=epoch, position=sent[at]) for at in (0, 9)]
    answers = await asyncio.gather(*waiting)
    assert all(answer["type"] == "ok" for answer in answers)
    # The first may be cut short by the second, but what follows the last rewind is whole.
    assert positions(his)[-10:] == sent[10:]
    assert ascending(positions(his)[:-10])


async def test_requests_right_behind_a_resume_are_answered_after_it(connect, alice, bob, server):
    """Answers in the order of the requests, and a message sent behind the resume stands behind the replay."""
    conversation = direct(alice, bob)
    hers = await connect(alice)
    start = post_message(alice, conversation, "start")["position"]
    await send_many(hers, conversation, [f"{n} " + "z" * 2000 for n in range(1500)])
    with RawConnection(server) as raw:
        raw.upgrade(bob.token)
        epoch = raw.message(type="hello")["epoch"]
        raw.send(
            text(type="resume", id="1", epoch=epoch, position=start)
            + text(type="ping", id="2")
            + text(type="send", id="3", conversation=conversation, text="behind", key=fresh_key())
            + text(type="history", id="4", conversation=conversation, after_seq=1500, limit=10)
            + text(type="typing", id="5", conversation=conversation, active=True)
            + text(type="nonsense", id="6")
        )
        answers, heard = [], 0
        while len(answers) < 6:
            message = await asyncio.to_thread(raw.message)
            if "id" in message and message["type"] in ("ok", "error"):
                answers.append(message)
                if message["id"] == "1":
                    assert heard == 1500, "the whole replay came before its ok"
            elif message["type"] == "message":
                heard += 1
    assert answers[0]["id"] == "1", "nothing overtakes the resume"
    assert {answer["id"] for answer in answers} == set("123456")
    assert {answer["id"]: answer["type"] for answer in answers}["6"] == "error"


async def test_heartbeats_carry_the_position(serve):
    """`--heartbeat 1s`: the position of a heartbeat is one that a resume takes, and it misses nothing."""
    running = serve("--rate-limit", "off", "--heartbeat", "1s")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    his = await Client.open(running, bob.token)
    assert his.hello["heartbeat_ms"] == 1000
    sent = post_message(alice, conversation, "one")
    await his.expect("message", text="one")
    his.unseen.clear()
    began = time.monotonic()
    beats = [await his.expect("heartbeat", timeout=3) for _ in range(2)]
    assert 0.7 < time.monotonic() - began < 3
    assert all(beat["position"] >= sent["position"] for beat in beats) and beats[0]["server_time"]
    await his.close()
    missed = post_message(alice, conversation, "two")
    back = await Client.open(running, bob.token)
    await resume(back, beats[-1]["position"])
    assert positions(back) == [missed["position"]]
    await back.close()


async def test_a_heartbeat_is_never_ahead_of_the_events(serve):
    """Whoever stores a heartbeat's position as its own has had every event up to it."""
    running = serve("--rate-limit", "off", "--heartbeat", "1s")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    ears = [await Client.open(running, bob.token) for _ in range(5)]
    hers = await Client.open(running, alice.token)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        await send_many(hers, conversation, ["x"] * 50, at_once=50)
    await hers.send(conversation, "last")
    for ear in ears:
        await ear.expect("message", text="last")
        reached, beats = 0, 0
        for event in ear.events:
            if event["type"] == "heartbeat":
                beats, reached = beats + 1, max(reached, event["position"])
            elif event["type"] == "message":
                assert event["position"] > reached
        assert beats >= 1
    for client in [*ears, hers]:
        await client.close()


async def test_only_a_restore_changes_the_epoch(serve):
    """A clean restart keeps the epoch and the position, as hello and GET /conversations say them."""
    running = serve()
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    post_message(alice, direct(alice, bob), "hello")
    before = boss.api.get("/conversations").json()
    running.stop()
    running.start()
    after = login(running, bob.username, bob.password).api.get("/conversations").json()
    assert (after["epoch"], after["position"] >= before["position"]) == (before["epoch"], True)
    client = await Client.open(running, bob.token)
    assert client.hello["epoch"] == before["epoch"] and client.hello["position"] >= before["position"]
    await client.close()


@RESTARTS
async def test_how_a_group_began_is_replayed_as_it_was_told(serve, restarted):
    """Who came or went later is in the events behind it."""
    running = serve("--rate-limit", "off", "--access-ttl", "1h")
    boss = admin(running)
    alice, bob, carol = (create_user(boss, name) for name in ("alice", "bob", "carol"))
    witness = await Client.open(running, alice.token)
    conversation = group(alice, bob, title="First")
    assert add(alice, conversation, carol).status_code == 200
    assert remove(alice, conversation, bob).status_code == 204
    assert retitle(alice, conversation, "Second").status_code == 200
    await witness.expect("conversation", change="updated")
    await witness.close()
    if restarted:
        running.kill()
        running.start()
    late = await Client.open(running, alice.token)
    await resume(late, witness.hello["position"])
    await late.close()
    assert late.of("conversation") == witness.of("conversation")
    created = late.of("conversation")[0]
    assert (created["title"], {member["id"] for member in created["members"]}) == ("First", {alice.id, bob.id})


async def test_a_list_of_conversations_is_a_place_to_go_on_from(connect, alice, bob):
    """`GET /conversations`, then `resume` from its position: nothing lost, nothing twice, whoever speaks meanwhile."""
    conversation = direct(alice, bob)
    post_message(alice, conversation, "start")
    hers = await connect(alice)
    talker = asyncio.create_task(send_many(hers, conversation, ["x"] * 1500, at_once=50))
    while not talker.done():
        snapshot = await asyncio.to_thread(lambda: bob.api.get("/conversations").json())
        [found] = [one for one in snapshot["items"] if one["id"] == conversation]
        his = await connect(bob)
        ok = await resume(his, snapshot["position"], snapshot["epoch"])
        assert ok["position"] >= snapshot["position"]
        told = [event["seq"] for event in his.of("message")]
        assert told == list(range(found["last_seq"] + 1, found["last_seq"] + 1 + len(told)))
        assert found["unread"] == found["last_seq"]
        await his.close()
    await talker
