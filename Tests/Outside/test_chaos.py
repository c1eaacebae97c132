"""Fifty clients send, edit, delete, read and vanish at random, and the server is killed under them, again and again. At the
end each client's view, made of what its sockets have told it alone, equals the store: message for message, marker for
marker. The rules of the contract's §3 all at once."""

import random

from chaos.world import World


async def test_every_view_equals_the_store_in_the_end(serve, request):
    seed = request.config.getoption("--seed") or random.randrange(2**32)
    seconds = request.config.getoption("--chaos-seconds")
    print(f"--seed {seed} --chaos-seconds {seconds}")
    world = World(serve("--rate-limit", "off", "--access-ttl", "2h"), seed)
    try:
        await world.run(seconds)
        faults = world.faults()
    except BaseException:
        print(f"failed with --seed {seed}")
        raise
    print(world.summary())
    assert not faults, f"--seed {seed}: {len(faults)} differences\n" + "\n".join(faults[:40])
    assert sum(client.connections for client in world.clients) > 2 * len(world.clients)
