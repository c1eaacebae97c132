"""`GET /search`: the words of messages that the caller may see, best first, as they stand now."""

import re

import pytest

from harness.api import direct, group, post_message, problem_of


def search(user, q, **query) -> list:
    answer = user.api.get("/search", params={"q": q} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def texts(user, q, **query) -> list:
    return [item["text"] for item in search(user, q, **query)]


@pytest.fixture
def pair(alice, bob):
    return direct(alice, bob)


def test_a_message_is_found_right_after_its_answer(alice, bob, pair):
    sent = post_message(alice, pair, "The zirconium valve leaks")
    [found] = search(bob, "zirconium")
    snippet = found.pop("snippet")
    assert found == {name: value for name, value in sent.items() if name != "key"}
    assert snippet == "The <mark>zirconium</mark> valve leaks"
    assert search(alice, "ZIRCONIUM")[0]["key"] == sent["key"], "the key is its sender's to see"


def test_all_words_a_beginning_or_words_in_a_row(alice, pair):
    for text in ("heat pump in the cellar", "pump the heat away", "heating plan", "nothing of it"):
        post_message(alice, pair, text)
    assert set(texts(alice, "heat pump")) == {"heat pump in the cellar", "pump the heat away"}
    assert texts(alice, '"heat pump"') == ["heat pump in the cellar"]
    assert set(texts(alice, "heat*")) == {"heat pump in the cellar", "pump the heat away", "heating plan"}
    assert texts(alice, "heat cellar") == ["heat pump in the cellar"]
    assert texts(alice, "heat attic") == []


def test_letters_count_and_not_their_marks(alice, pair):
    post_message(alice, pair, "Überspannung in der Küche")
    assert texts(alice, "uberspannung kuche") == ["Überspannung in der Küche"]


def test_the_best_comes_first(alice, pair):
    for text in ("a socket, and " + "so on " * 60, "socket socket", "one socket of many in the hall"):
        post_message(alice, pair, text)
    found = texts(alice, "socket")
    assert found[0] == "socket socket" and found[-1].startswith("a socket")


def test_a_snippet_is_harmless_html_around_the_words(alice, pair):
    post_message(alice, pair, "x " * 200 + "<img src=x onerror=alert(1)> & vanadium " + "y " * 200)
    [found] = search(alice, "vanadium")
    assert "<mark>vanadium</mark>" in found["snippet"]
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in found["snippet"]
    assert re.sub(r"</?mark>", "", found["snippet"]).count("<") == 0
    assert found["snippet"].startswith("…") and found["snippet"].endswith("…")


def test_only_what_the_caller_may_see(alice, bob, person):
    carol = person("carol")
    ours, theirs = direct(alice, bob), direct(bob, carol)
    post_message(alice, ours, "molybdenum here")
    post_message(bob, theirs, "molybdenum there")
    assert texts(alice, "molybdenum") == ["molybdenum here"]
    assert set(texts(bob, "molybdenum")) == {"molybdenum here", "molybdenum there"}
    assert texts(bob, "molybdenum", conversation_id=theirs) == ["molybdenum there"]
    problem_of(alice.api.get("/search", params={"q": "molybdenum", "conversation_id": theirs}), 404, "not-found")
    problem_of(alice.api.get("/search", params={"q": "molybdenum", "conversation_id": "nothing"}), 404, "not-found")
    # The name that the index has for a conversation is no word of its messages.
    assert texts(alice, ours) == []


def test_who_leaves_a_group_finds_nothing_of_it_any_more(alice, bob):
    id = group(alice, bob)
    post_message(alice, id, "rhodium")
    assert texts(bob, "rhodium") == ["rhodium"]
    assert alice.api.request("DELETE", f"/conversations/{id}/members/{bob.id}").status_code == 204
    assert texts(bob, "rhodium") == []


def test_edits_and_deletions_are_followed(alice, bob, pair):
    first, second = post_message(alice, pair, "tantalum one"), post_message(alice, pair, "tantalum two")
    place = f"/conversations/{pair}/messages"
    assert len(texts(bob, "tantalum")) == 2
    assert alice.api.request("PATCH", f"{place}/{first['seq']}", json={"text": "niobium one"}).status_code == 200
    assert alice.api.request("DELETE", f"{place}/{second['seq']}").status_code == 204
    assert texts(bob, "tantalum") == [] and texts(bob, "niobium") == ["niobium one"]


def test_pages_hold_every_match_once(alice, pair):
    for number in range(25):
        post_message(alice, pair, f"osmium {number}")
    found, query = [], {"q": "osmium", "limit": 10}
    while True:
        answer = alice.api.get("/search", params=query)
        found += answer.json()["items"]
        post_message(alice, pair, "osmium, and another that is too new for this search")
        if (cursor := answer.json()["next_cursor"]) is None:
            assert "Link" not in answer.headers
            break
        assert 'rel="next"' in answer.headers["Link"] and "q=osmium" in answer.headers["Link"]
        query["cursor"] = cursor
    assert sorted(item["text"] for item in found) == sorted(f"osmium {number}" for number in range(25))


@pytest.mark.parametrize(
    "q",
    ['"', '""', "AND", "a AND OR", "NEAR(a b, 3)", "text : x", "scope : c1", "-x", "^x", "x*y*", "(((", "{a}", "'; --",
     "a" * 256, "\u202e", "\U0001f600", "%00", "c1", "漢字", "* *", "a+b"],
)  # fmt: skip
def test_no_query_is_more_than_words(alice, pair, q):
    post_message(alice, pair, "something to be found")
    answer = alice.api.get("/search", params={"q": q})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert "something to be found" not in [item["text"] for item in answer.json()["items"]]
    else:
        problem_of(answer, 422, "validation")


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "  "}, {"q": "x" * 257}, {"q": "a\0b"}, {"q": "x", "limit": 0},
                                   {"q": "x", "cursor": "?"}])  # fmt: skip
def test_what_is_no_query_is_refused(alice, query):
    problem_of(alice.api.get("/search", params=query), 422, "validation")


def test_a_token_is_needed(anyone):
    problem_of(anyone.get("/search", params={"q": "x"}), 401)
