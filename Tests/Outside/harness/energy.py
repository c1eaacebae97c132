"""Devices, readings and consumption as a client program uses them."""

from datetime import datetime, timedelta, timezone

from .api import User, fresh_name

QUARTER = timedelta(minutes=15)
COUNTER = [{"name": "register", "kind": "counter", "unit": "kWh"}]
POWER = [{"name": "power", "kind": "power", "unit": "W"}]


def at(text: str) -> datetime:
    """An instant; without an offset in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create_device(administrator: User, owner: User = None, **fields) -> str:
    body = {"name": fresh_name("device")} | ({"owner_id": owner.id} if owner else {}) | fields
    answer = administrator.api.post("/devices", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def send(sender, device: str, readings, **headers) -> dict:
    """Posts readings; `sender` is a user or an `Api`."""
    api = getattr(sender, "api", sender)
    answer = api.post(f"/devices/{device}/measurements", readings, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def interval(start, end, value) -> dict:
    return {"start": rfc3339(start), "end": rfc3339(end), "value": value}


def point(moment, value) -> dict:
    return {"timestamp": rfc3339(moment), "value": value}


def counts(report: dict) -> tuple:
    return report["accepted"], report["duplicates"], report["corrected"], len(report["rejected"])


def consumption(user: User, device: str, start, end, granularity="hour", **query) -> list:
    """The items; times may be datetimes or what a client writes."""
    times = {"from": start, "to": end}
    times = {name: rfc3339(time) if isinstance(time, datetime) else time for name, time in times.items()}
    answer = user.api.get(
        f"/devices/{device}/consumption", params=times | {"granularity": granularity} | query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unit"] == "kWh"
    return answer.json()["items"]


def values(items: list) -> list:
    return [item["value"] for item in items]
