"""A loopback model provider for benchmarks: OpenAI's chat completions after a fixed latency.

Run `python benchmarks/model_server.py --latency 0.2`; it prints its address and serves until it is
ended. It does as little as possible, since it shares the processors with what is measured: each
reply is the same few bytes but for the number that the prompt holds as `#NUMBER#`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from functools import partial

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NUMBER = re.compile(rb"#(\d+)#")
_END_OF_HEAD = b"\r\n\r\n"
_REPLY = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"parrot",'
    b'"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":'
    b'"The answer is %b."}}],'
    b'"usage":{"prompt_tokens":40,"completion_tokens":6,"total_tokens":46}}'
)


class Connection(asyncio.Protocol):
    """Answers the requests of one client, each `latency` seconds after it came."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to write to."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that has come whole."""
        self._received += data
        while (end := self._received.find(_END_OF_HEAD)) >= 0:
            length = _LENGTH.search(self._received, 0, end)
            whole = end + len(_END_OF_HEAD) + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            request, self._received = self._received[:whole], self._received[whole:]
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency, self._answer, request)

    def _answer(self, request: bytes) -> None:
        if self._transport.is_closing():
            return
        number = _NUMBER.search(request)
        body = _REPLY % (number[1] if number else b"0")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def serve(latency: float) -> None:
    """Serve on a free port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, latency), "127.0.0.1", 0, backlog=2048)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    asyncio.run(serve(parser.parse_args().latency))
