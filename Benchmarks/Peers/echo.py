"""A WebSocket that echoes, with Python's `websockets`."""

import asyncio
import sys

from websockets.asyncio.server import serve


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    port = int(sys.argv[sys.argv.index("--port") + 1])
    async with serve(echo, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
