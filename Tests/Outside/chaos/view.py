"""What one client believes: made of nothing but what its sockets have told it."""

from dataclasses import dataclass, field


@dataclass
class Conversation:
    """`messages`: seq → (position, text, edited, deleted); `marks`: user → (received_seq, read_seq)."""

    messages: dict = field(default_factory=dict)
    marks: dict = field(default_factory=dict)
    title: str = None


class View:
    """Conversations that the client has been a member of all along, as far as it knows."""

    def __init__(self, user):
        self.user = user
        self.conversations = {}
        self.left = set()  # it was removed from these, and may hear nothing more of them
        self.awaited = {}  # conversations that it has yet to fetch → what it hears of them meanwhile

    def fetched(self, conversation: dict, messages: list):
        """The present state, over REST, and on top of it what was heard since it was asked for."""
        id = conversation["id"]
        known = self.conversations[id] = Conversation(title=conversation["title"])
        for message in messages:
            self._put(known, message)
        for member in conversation["members"]:
            known.marks[member["id"]] = (member["received_seq"], member["read_seq"])
        # Its own private marks are in the conversation itself.
        known.marks[self.user] = (conversation["received_seq"], conversation["read_seq"])
        for event in self.awaited.pop(id, []):
            self._apply(event)

    def take(self, event: dict):
        """One event with a position."""
        id = event["conversation"]
        if event["type"] == "conversation" and self._begins(event):
            self.left.discard(id)
            self.awaited[id] = []
        elif id in self.awaited:
            self.awaited[id].append(event)
            if event["type"] == "conversation" and self._ends(event):
                del self.awaited[id]
                self.left.add(id)
        else:
            self._apply(event)

    def _begins(self, event):
        return event["change"] == "created" or (
            event["change"] == "member_added" and event["user"] == self.user
        )

    def _ends(self, event):
        return event["change"] == "member_removed" and event["user"] == self.user

    def _apply(self, event):
        id = event["conversation"]
        match event["type"]:
            case "message":
                self._message(id, event)
            case "receipt":
                known = self.conversations.get(id)
                if known is not None:
                    self._mark(known, event["user"], event["received_seq"], event["read_seq"])
            case "conversation":
                self._change(id, event)

    def sent(self, conversation, answer: dict, text: str):
        """The `ok` to a `send` stands for the event, which its own socket does not get."""
        if conversation in self.conversations:
            known = self.conversations[conversation]
            if answer["seq"] not in known.messages:
                known.messages[answer["seq"]] = (answer["position"], text, False, False)

    def changed(self, conversation, seq, answer: dict, text: str, deleted: bool):
        known = self.conversations.get(conversation)
        if known is None or seq not in known.messages:
            return
        position, _, edited, was_deleted = known.messages[seq]
        if answer["position"] > position and not was_deleted:
            known.messages[seq] = (answer["position"], text, edited or not deleted, deleted)

    def marked(self, conversation, received, read):
        known = self.conversations.get(conversation)
        if known is not None:
            self._mark(known, self.user, received, read)

    def _message(self, id, event):
        assert id not in self.left, f"{self.user} hears of {id}, which it has left: {event}"
        known = self.conversations.get(id)
        assert known is not None, f"{self.user} hears of {id}, of which it knows nothing: {event}"
        before = known.messages.get(event["seq"])
        if before is None:
            expected = max(known.messages, default=0) + 1
            assert event["seq"] == expected, f"{self.user} misses {id}/{expected}: {event}"
        if before is None or event["position"] > before[0]:
            self._put(known, event)

    @staticmethod
    def _put(known, message):
        known.messages[message["seq"]] = (
            message["position"],
            message["text"],
            "edited_at" in message,
            "deleted_at" in message,
        )

    @staticmethod
    def _mark(known, user, received, read):
        old = known.marks.get(user, (0, 0))
        known.marks[user] = (max(old[0], received), max(old[1], read))

    def _change(self, id, event):
        match event["change"]:
            case "updated":
                if id in self.conversations:
                    self.conversations[id].title = event["title"]
            case "member_removed":
                if self._ends(event):
                    self.conversations.pop(id, None)
                    self.left.add(id)
                elif id in self.conversations:
                    self.conversations[id].marks.pop(event["user"], None)
            case "member_added":
                if id in self.conversations:
                    # Whoever comes has read all that was there.
                    last = max(self.conversations[id].messages, default=0)
                    self.conversations[id].marks[event["user"]] = (last, last)
