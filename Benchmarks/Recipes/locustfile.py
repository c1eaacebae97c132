"""Clients who look at themselves and at their conversations, and write to the administrators now and then.

TOKENS names a file of lines `id,username,token`, as `wattloop user add --load-test N` prints it. Every user of locust is one of
them.
"""

import itertools
import os
import uuid

from locust import HttpUser, between, task

with open(os.environ["TOKENS"]) as lines:
    TOKENS = itertools.cycle([line.strip().split(",")[2] for line in lines])


class Client(HttpUser):
    wait_time = between(0.1, 0.5)

    def on_start(self):
        self.client.headers["Authorization"] = f"Bearer {next(TOKENS)}"
        self.conversation = self.client.post("/api/v1/support").json()["id"]

    @task(3)
    def look_at_myself(self):
        self.client.get("/api/v1/users/me")

    @task(3)
    def list_conversations(self):
        self.client.get("/api/v1/conversations")

    @task(2)
    def write(self):
        # The key makes a retry safe: the same message is stored once.
        message = {"text": "How much did the kitchen use today?", "key": str(uuid.uuid4())}
        self.client.post(
            f"/api/v1/conversations/{self.conversation}/messages", json=message,
            name="/api/v1/conversations/{id}/messages")

    @task(1)
    def read_history(self):
        self.client.get(
            f"/api/v1/conversations/{self.conversation}/messages?limit=20", name="/api/v1/conversations/{id}/messages")
