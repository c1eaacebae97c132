"""GET /search: what the caller may see, found by its words, the moment it is acknowledged."""

import asyncio
import re
import time

import pytest

from harness.api import (
    TIME,
    admin,
    create_user,
    direct,
    fresh_key,
    group,
    messages,
    pointers,
    post_message,
    problem_of,
)
from harness.chat import add, delete, edit, remove, send_many


def search(user, q, **query) -> dict:
    answer = user.api.get("/search", params={"q": q} | query)
    assert answer.status_code == 200, (q, answer.text)
    return answer.json()


def found(user, q, **query) -> list:
    """The texts, in their alphabetical order."""
    return sorted(one["text"] for one in search(user, q, **query)["items"])


@pytest.fixture
def notes(alice, bob):
    conversation = direct(alice, bob)
    texts = [
        "the boiler is warm",
        "the boiler in the cellar",
        "warm cellar",
        "Boilerplate text",
        "in the warm boiler room",
    ]
    for text in texts:
        post_message(alice, conversation, text)
    return conversation


def test_a_hit_is_the_message_and_a_snippet(alice, bob, notes):
    answer = bob.api.get("/search", params={"q": "boilerplate"})
    assert answer.status_code == 200 and set(answer.json()) == {"items", "next_cursor"}
    [hit] = answer.json()["items"]
    [stored] = [one for one in messages(bob, notes)["items"] if one["seq"] == 4]
    assert {name: value for name, value in hit.items() if name != "snippet"} == stored
    assert hit["snippet"] == "<mark>Boilerplate</mark> text"
    assert answer.json()["next_cursor"] is None


def test_all_words_must_be_there_in_any_order(alice, bob, notes):
    assert found(bob, "warm boiler") == ["in the warm boiler room", "the boiler is warm"]
    assert found(bob, "boiler warm") == found(bob, "  boiler \n warm ")
    assert found(bob, "boiler mountain") == []
    assert found(bob, "boil") == [], "a word is a whole word"


def test_case_does_not_matter(alice, bob, notes):
    assert found(bob, "BOILER CELLAR") == ["the boiler in the cellar"]


def test_a_star_is_a_prefix(alice, bob, notes):
    assert found(bob, "boiler*") == sorted([
        "Boilerplate text", "in the warm boiler room", "the boiler in the cellar", "the boiler is warm"])
    assert found(bob, "boi* cel*") == ["the boiler in the cellar"]
    assert found(bob, "boiler") == found(bob, "boiler* the")


def test_a_phrase_stands_in_double_quotes(alice, bob, notes):
    assert found(bob, '"warm boiler"') == ["in the warm boiler room"]
    assert found(bob, '"the boiler" warm') == ["the boiler is warm"]
    assert found(bob, '"boiler warm"') == []


@pytest.mark.parametrize(
    "text, word",
    [
        ("die Wärmepumpe läuft", "Wärmepumpe"),
        ("DIE WÄRMEPUMPE", "wärmepumpe"),
        ("нагрев воды", "ВОДЫ"),
        ("reading 4711 of the meter", "4711"),
        ("it's 3.5 kWh, isn't it?", "kWh"),
        ("a_b under_score", "under_score"),
        ("mail me@example.org", "me@example.org"),
        ("co-operate now", "co-operate"),
    ],
)
def test_words_of_any_kind(alice, bob, text, word):
    conversation = direct(alice, bob)
    post_message(alice, conversation, text)
    assert found(bob, word) == [text]


def test_the_snippet_is_escaped_and_cut(alice, bob):
    """Nothing of the text is markup; the only tags are <mark> and </mark>."""
    conversation = direct(alice, bob)
    post_message(alice, conversation, "<script>'x'</script> &amp; <mark>fake</mark> \"needle\" <b>")
    [hit] = search(bob, "needle")["items"]
    snippet = hit["snippet"]
    assert "<mark>needle</mark>" in snippet
    rest = snippet.replace("<mark>needle</mark>", "")
    assert "<" not in rest and ">" not in rest, snippet
    assert "&amp;amp; &lt;mark&gt;fake" in snippet and "&lt;b&gt;" in snippet
    assert not re.search(r"&(?!(amp|lt|gt|quot|#39|#x27|apos);)", snippet), snippet
    assert hit["text"].startswith("<script>"), "the text itself is as it was"

    long = " ".join(f"word{number}" for number in range(500)) + " haystack " + "tail " * 300
    post_message(alice, conversation, long)
    [hit] = search(bob, "haystack")["items"]
    assert "<mark>haystack</mark>" in hit["snippet"] and "…" in hit["snippet"]
    assert len(hit["snippet"]) < 1000


@pytest.mark.parametrize(
    "tail", ["\ue000", "\u0001", "\u0002", "\ufdd0", "\x1a", "\u2028", "<mark>", "\x02x\x03"], ids=ascii
)
def test_no_text_can_pose_as_a_mark(alice, bob, tail):
    """Whatever marks the hits inside the server may stand in a message too."""
    conversation = direct(alice, bob)
    post_message(alice, conversation, f"evil {tail} img needle {tail}")
    [hit] = search(bob, "needle")["items"]
    assert hit["snippet"].count("<mark>") == hit["snippet"].count("</mark>") == 1
    assert re.sub(r"<mark>needle</mark>", "", hit["snippet"]).count("<") == 0


# Who sees what


def test_only_what_the_caller_may_see(administrator, alice, bob, person):
    """Neither strangers nor administrators find others' words."""
    carol = person("carol")
    word = fresh_key()
    pair, flock = direct(alice, bob), group(alice, bob, carol)
    post_message(alice, pair, f"pair {word}")
    post_message(alice, flock, f"flock {word}")
    assert found(bob, word) == [f"flock {word}", f"pair {word}"] == found(alice, word)
    assert found(carol, word) == [f"flock {word}"]
    assert found(person("stranger"), word) == found(administrator, word) == []
    assert found(bob, word, conversation_id=pair) == [f"pair {word}"]
    problem_of(carol.api.get("/search", params={"q": word, "conversation_id": pair}), 404, "not-found")
    problem_of(carol.api.get("/search", params={"q": word, "conversation_id": "c99999999"}), 404, "not-found")
    problem_of(administrator.api.get("/search", params={"q": word, "conversation_id": pair}), 404, "not-found")


def test_those_who_come_find_all_and_those_who_go_nothing(alice, bob, person):
    carol, word = person("carol"), fresh_key()
    conversation = group(alice, bob)
    post_message(alice, conversation, f"before {word}")
    assert found(carol, word) == []
    assert add(alice, conversation, carol).status_code == 200
    assert found(carol, word) == [f"before {word}"]
    assert remove(alice, conversation, carol).status_code == 204
    assert found(carol, word) == []


def test_a_search_needs_a_token(anyone):
    problem_of(anyone.get("/search", params={"q": "x"}), 401)


# What changes


def test_an_edited_message_is_found_by_its_new_words_only(alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "old saxophone")
    assert edit(alice, conversation, 1, "new clarinet").status_code == 200
    assert found(bob, "saxophone") == [] and found(bob, "clarinet") == ["new clarinet"]
    [hit] = search(bob, "clarinet")["items"]
    assert TIME.fullmatch(hit["edited_at"])


def test_a_deleted_message_is_not_found(alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "a saxophone")
    assert found(bob, "saxophone") == ["a saxophone"]
    assert delete(alice, conversation, 1).status_code == 204
    assert found(bob, "saxophone") == found(alice, "saxophone*") == []


async def test_a_message_is_found_right_after_its_ok(connect, alice, bob):
    """However fast they come, and also while others keep the store busy."""
    conversation, other = direct(alice, bob), group(alice, bob)
    hers, noisy = await connect(alice), await connect(bob)
    noise = asyncio.create_task(send_many(noisy, other, ["noise " * 50] * 3000, at_once=100))
    for number in range(25):
        word = f"instant{number}"
        await hers.send(conversation, f"here is {word}")
        assert await asyncio.to_thread(found, bob, word) == [f"here is {word}"]
        await hers.ok("edit", conversation=conversation, seq=number + 1, text=f"changed{number}")
        assert await asyncio.to_thread(found, bob, word) == []
        assert await asyncio.to_thread(found, alice, f"changed{number}") == [f"changed{number}"]
    await noise


async def test_a_posted_message_is_found_after_a_kill(serve):
    """The index is as durable as the messages: nothing is lost, and nothing stays that was deleted."""
    running = serve("--rate-limit", "off")
    boss = admin(running)
    alice, bob = create_user(boss, "alice"), create_user(boss, "bob")
    conversation = direct(alice, bob)
    for number in range(60):
        post_message(alice, conversation, f"durable word{number}")
    assert edit(alice, conversation, 1, "edited at the end").status_code == 200
    assert delete(alice, conversation, 2).status_code == 204
    running.kill()
    running.start()
    assert found(bob, "word59") == ["durable word59"]
    assert len(search(bob, "durable", limit=100)["items"]) == 58
    assert found(bob, "word1") == found(bob, "word0") == [] and found(bob, "edited") == ["edited at the end"]


# Pages and errors


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_hold_everything_once(alice, bob, limit):
    conversation = direct(alice, bob)
    for number in range(23):
        post_message(alice, conversation, f"page {number}")
    seqs, path, pages = [], f"/search?q=page&limit={limit}", 0
    while path:
        answer = bob.api.get(path)
        assert answer.status_code == 200
        page = answer.json()
        assert len(page["items"]) <= limit
        seqs += [one["seq"] for one in page["items"]]
        pages += 1
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        assert bool(link) == (page["next_cursor"] is not None)
        if link is None:
            break
        assert "cursor=" in link[1]
        path = link[1] if link[1].startswith("http") else link[1].removeprefix("/api/v1")
        by_cursor = bob.api.get("/search", params={"q": "page", "limit": limit, "cursor": page["next_cursor"]})
        assert by_cursor.json() == bob.api.get(path).json(), "the link and the cursor are the same page"
    assert sorted(seqs) == list(range(1, 24))
    assert pages <= 23 // limit + 2


@pytest.mark.parametrize("query", ["", "q=", "q=%20%0A", "q=x&limit=0", "q=x&limit=abc", "q=x&cursor=nonsense"])
def test_a_wrong_query_is_a_validation_problem(alice, query):
    answer = alice.api.get(f"/search?{query}")
    problem = problem_of(answer, {400, 422}, "validation")
    if "limit" not in query and "cursor" not in query:
        assert answer.status_code == 422 and pointers(problem) <= {"q", "?q"}


HOSTILE = [
    '"', '""', '"""', '"open', "*", "**", "a**", "*a", "a*b", '"a*"', '"a"*', "AND", "OR", "NOT", "a AND",
    "NOT a", "NEAR(a b)", "NEAR(", "a OR b", "-a", "+a", "^a", "text:a", "col : a", "{a b}:c", "(", ")",
    "(a", "a)", "'", "';--", "a;b", "%", "_", "\\", "a\\", "\u0000", "a\u0000b", "\ud7ff", "\U0010ffff",
    "😀", "é\u0301", "\u202e", "…", "<mark>", "&amp;", "?1", ":x", "@x", "$x", "#", "~", "`", "a" * 5000,
    "a " * 2000, '"' * 999, "* " * 500, "(" * 500, "NOT " * 300 + "a", "ß", "ı", "İ", "a\tb", "\r\n", ".",
    ",", "- - -", "null",
]


def test_hostile_words_are_answered_and_never_break_anything(alice, bob):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "a quiet message and or not near b")
    for q in HOSTILE:
        answer = bob.api.get("/search", params={"q": q})
        assert answer.status_code in (200, 400, 414, 422, 431), (q[:40], answer.status_code, answer.text[:300])
        if answer.status_code == 200:
            assert all(one["conversation"] == conversation for one in answer.json()["items"])
        else:
            problem_of(answer, answer.status_code)
    for raw in ("q=%ff", "q=%c0%80", "q=%", "q=%zz", "q=%ed%a0%80", "q=a&q=b", "q[]=a", "q=a%00b"):
        assert bob.api.get(f"/search?{raw}").status_code in (200, 400, 422), raw
    assert found(bob, "quiet") == ["a quiet message and or not near b"]


@pytest.mark.parametrize("word", ["and", "or", "not", "near", "AND", "NOT"])
def test_operators_are_words(alice, bob, word):
    conversation = direct(alice, bob)
    post_message(alice, conversation, "this and that or not near")
    post_message(alice, conversation, "nothing of it")
    assert found(bob, word) == ["this and that or not near"]
    assert found(bob, f"this {word} that") == ["this and that or not near"]


async def test_many_hits_are_found_in_good_time(connect, alice, bob):
    """A word of five thousand messages: the first page comes in far less than a second."""
    conversation = group(alice, bob)
    mouths = [await connect(alice) for _ in range(2)]
    texts = [f"common {number}" for number in range(2500)]
    await asyncio.gather(*[send_many(mouth, conversation, texts, at_once=500) for mouth in mouths])
    began = time.monotonic()
    page = await asyncio.to_thread(search, bob, "common")
    assert time.monotonic() - began < 1
    assert len(page["items"]) == 50 and page["next_cursor"]
