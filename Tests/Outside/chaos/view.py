"""What one client believes: made of the events and answers that its sockets gave it, and of nothing else."""

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Room:
    """A conversation that the client is in. What has a position up to `base` was in it when it was fetched."""

    base: int
    kind: str
    title: str
    members: set
    messages: dict = field(default_factory=dict)  # seq → the message as it stands
    born: dict = field(default_factory=dict)  # seq → the lowest position that it was seen with
    whole: int = 0  # all messages up to this seq are known
    joined: dict = field(default_factory=dict)  # user → the position of its last coming, if it came later
    marks: dict = field(default_factory=dict)  # user → (received_seq, read_seq), as far as this client may see
    own: tuple = (0, 0)

    @property
    def last(self) -> int:
        return max(self.messages, default=0)

    def missing(self, before=None) -> list:
        return [seq for seq in range(self.whole + 1, before or self.last) if seq not in self.messages]

    def put(self, message: dict, position=None):
        """The later position is the later state. `position` is where it was seen, if not where it was changed."""
        seq = message["seq"]
        position = message["position"] if position is None else position
        self.born[seq] = min(self.born.get(seq, position), position)
        if seq not in self.messages or message["position"] > self.messages[seq]["position"]:
            self.messages[seq] = {name: value for name, value in message.items() if name not in ("type", "key")}
        while self.whole + 1 in self.messages:
            self.whole += 1

    def mark(self, user, received, read):
        old = self.marks.get(user, (0, 0))
        self.marks[user] = (max(old[0], received), max(old[1], read))

    def marks_of(self, user) -> tuple:
        """Whoever came later had everything before it read."""
        before = [seq for seq, position in self.born.items() if position < self.joined.get(user, 0)]
        received, read = self.marks.get(user, (0, 0))
        return max(received, *before, 0), max(read, *before, 0)


class View:
    def __init__(self, user: str):
        self.user = user
        self.rooms = {}
        self.waiting = {}  # a conversation that it came into and has yet to fetch → that event, and what it heard since
        self.held = None  # while everything is fetched anew: what it hears meanwhile
        self.noted = deque(maxlen=5000)
        self.unanswered = lambda conversation: 0  # how many of its own messages may be there without its knowing

    def note(self, how: str, what: dict):
        """For whoever has to find out what went wrong."""
        self.noted.append((how, what))

    def story(self, conversation: str, most=25) -> str:
        """What was noted last of a conversation, or of everything."""
        told = [
            f"   {how} {what}" for how, what in self.noted
            if what.get("conversation", conversation) == conversation and what["type"] not in ("heartbeat", "presence")
        ]  # fmt: skip
        return "\n".join(told[-most:])

    # What is fetched

    def load(self, conversation: dict, position: int, messages: list):
        """One conversation of a list that was made at `position`, and its messages, read a moment later."""
        self.note("fetched", {"type": "list", "conversation": conversation["id"], "position": position})
        room = self.rooms[conversation["id"]] = Room(
            position, conversation["kind"], conversation["title"], {one["id"] for one in conversation["members"]}
        )
        for message in messages:
            old = message["seq"] <= conversation["last_seq"]
            room.put(message, min(position, message["position"]) if old else None)
        for member in conversation["members"]:
            room.mark(member["id"], member["received_seq"], member["read_seq"])
        room.own = conversation["received_seq"], conversation["read_seq"]
        for event in self.waiting.pop(conversation["id"], []):
            self.take(event)

    def awaits(self, id: str, position: int) -> bool:
        """Whether a list of this position tells what it was added to. It may have gone and come again since."""
        return id in self.waiting and all(event["position"] <= position for event in self.waiting[id][:1])

    def begin_anew(self):
        self.rooms, self.waiting, self.held = {}, {}, []

    def end_anew(self, position: int):
        """The list was made at `position`: what was heard of before is in it, or was over by then."""
        self.note("fetched", {"type": "everything", "position": position})
        held, self.held = self.held, None
        for event in held:
            if event["position"] > position:
                self.take(event)

    # What is heard

    def take(self, event: dict):
        """An event of a conversation, with its position. They come in ascending order."""
        if self.held is not None:
            self.held.append(event)
            return
        id, change = event["conversation"], event.get("change")
        of_me = change in ("member_added", "member_removed") and event["user"] == self.user
        room = self.rooms.get(id)
        if room is not None and event["position"] <= room.base:
            return
        if id in self.waiting:
            self.waiting[id].append(event)
            if of_me and change == "member_removed":
                del self.waiting[id]
        elif change == "created":
            assert room is None, f"made a second time: {event}"
            members = {member["id"] for member in event["members"]}
            self.rooms[id] = Room(event["position"], event["kind"], event["title"], members)
        elif of_me and change == "member_added":
            assert room is None, f"added to where it is: {event}"
            self.waiting[id] = [event]
        elif of_me:
            self.rooms.pop(id, None)
        else:
            assert room is not None, f"it is not in there: {event}"
            self._apply(id, room, event)

    def _apply(self, id, room, event):
        match event["type"], event.get("change"):
            case "message", _:
                room.put(event)
                missing = room.missing(event["seq"])
                assert len(missing) <= self.unanswered(id), f"{missing} are missing before {event}"
            case "receipt", _ if event["user"] == self.user:
                self._own(room, event["received_seq"], event["read_seq"])
            case "receipt", _:
                room.mark(event["user"], event["received_seq"], event["read_seq"])
            case _, "updated":
                room.title = event["title"]
            case _, "member_added":
                room.members.add(event["user"])
                room.joined[event["user"]] = event["position"]
            case _, "member_removed":
                room.members.discard(event["user"])
                room.marks.pop(event["user"], None)
            case _:
                raise AssertionError(f"an event of an unknown kind: {event}")

    # What is answered

    def sent(self, id, answer, text, reply_to):
        """Its own message: the `ok` stands for the event, which this session does not get."""
        if room := self.rooms.get(id):
            message = {name: answer[name] for name in ("position", "seq", "timestamp")}
            message |= {"conversation": id, "sender": self.user, "kind": "text", "text": text}
            room.put(message | ({"reply_to": reply_to} if reply_to else {}))

    def changed(self, id, answer, text):
        """Its own edit, or with None its deletion."""
        room = self.rooms.get(id)
        if room is not None and answer["seq"] in room.messages:
            change = {"edited_at": answer["timestamp"]} if text is not None else {"deleted_at": answer["timestamp"]}
            message = room.messages[answer["seq"]]
            room.put(message | change | {"text": text or "", "position": answer["position"]}, room.born[answer["seq"]])

    def marked(self, id, received, read):
        if room := self.rooms.get(id):
            self._own(room, received, read)

    @staticmethod
    def _own(room, received, read):
        room.own = max(room.own[0], received, read), max(room.own[1], read)
