"""Fifty clients send, edit, delete, read, vanish and come back at random, and the server is killed under them.

Each keeps a view of what its sockets have told it: events, in strictly ascending position, and the answers to what it asked
for. At the end every view equals the store: message for message, marker for marker. All rules of the contract's §3 at once."""

from chaos.world import World
from harness.server import wattloop

ROUND = 60  # a long run is many rounds, each with new users, so that views stay small


async def test_every_view_equals_the_store_at_the_end(serve, request, seed):
    left = request.config.getoption("--chaos-seconds")
    # Three heartbeats are the most that a client may be silent: fifty in one Python process starve longer than 3 s at times.
    server = serve("--rate-limit", "off", "--access-ttl", "24h", "--heartbeat", "3s")
    rounds = 0
    while left > 0:
        seconds = left if left < 1.5 * ROUND else ROUND
        world = World(server, seed, rounds)
        await world.run(seconds)
        faults = await world.faults()
        print(f"round {rounds}: {world.summary()}")
        assert not faults, f"--seed {seed}, round {rounds}: {len(faults)} differences\n" + "\n".join(faults[:40])
        assert world.kills > 0 and sum(client.tally.connections for client in world.clients) > 2 * len(world.clients)
        left, rounds = left - seconds, rounds + 1
    server.stop()
    check = wattloop("check", "--data", server.data, timeout=600)
    assert check.returncode == 0, check.stdout + check.stderr
