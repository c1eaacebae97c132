"""What the tests of chat's rules have in common: positions, replays and the REST side of messages."""

import asyncio

from .api import User, fresh_key
from .client import Client


def positioned(client: Client) -> list:
    """The events that have a place in the log, in the order they came."""
    return [event for event in client.events if "position" in event and event["type"] not in ("hello", "heartbeat")]


def positions(client: Client) -> list:
    return [event["position"] for event in positioned(client)]


async def resume(client: Client, position, epoch=None) -> tuple:
    """The events that came between the request and its `ok`, and the `ok`."""
    start = len(client.heard)
    answer = await client.ok("resume", epoch=epoch or client.hello["epoch"], position=position)
    return client.heard[start : client.heard.index(answer, start)], answer


def ascending(numbers: list) -> bool:
    return all(one < other for one, other in zip(numbers, numbers[1:]))


async def send_many(client: Client, conversation, texts, at_once=200) -> list:
    """Pipelined; the answers, in order."""
    answers, texts = [], list(texts)
    for start in range(0, len(texts), at_once):
        waiting = [
            await client.begin("send", conversation=conversation, text=text, key=fresh_key())
            for text in texts[start : start + at_once]
        ]
        answers += await asyncio.gather(*waiting)
    assert all(answer["type"] == "ok" for answer in answers)
    return answers


def conversation_of(user: User, conversation) -> dict:
    answer = user.api.get(f"/conversations/{conversation}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def marks(user: User, conversation, of: User) -> tuple:
    """What `user` sees of another member: received_seq and read_seq."""
    [member] = [one for one in conversation_of(user, conversation)["members"] if one["id"] == of.id]
    return member["received_seq"], member["read_seq"]


def edit(user: User, conversation, seq, text, **options):
    return user.api.request("PATCH", f"/conversations/{conversation}/messages/{seq}", json={"text": text}, **options)


def delete(user: User, conversation, seq, **options):
    return user.api.request("DELETE", f"/conversations/{conversation}/messages/{seq}", **options)


def read(user: User, conversation, seq, **fields):
    return user.api.request("PUT", f"/conversations/{conversation}/read", json={"seq": seq} | fields)


def retitle(user: User, conversation, title, **options):
    return user.api.request("PATCH", f"/conversations/{conversation}", json={"title": title}, **options)


def add(user: User, conversation, *members: User):
    body = {"member_ids": [member.id for member in members]}
    return user.api.post(f"/conversations/{conversation}/members", body)


def remove(user: User, conversation, member: User):
    return user.api.request("DELETE", f"/conversations/{conversation}/members/{member.id}")
