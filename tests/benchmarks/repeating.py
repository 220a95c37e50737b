"""One client that sends the requests of a script in turn, each when the one before it is answered."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.benchmarks import own_process
from tests.benchmarks.heavy_requests import SCRIPTS, Request, Script
from tests.benchmarks.keep_alive import Answer, KeepAlive

_W = "/api/v1/workspaces/bank"
_REFUSED_SECONDS = 0.05


@asynccontextmanager
async def repeated(name: str, port: int, token: str) -> AsyncIterator[dict[str, int]]:
    """Repeat the script of that name from a process of its own meanwhile. The dict has afterwards how often each status
    was answered.
    """
    async with own_process.running(__name__, {"script": name, "port": port, "token": token}) as answers:
        yield answers


class _Client:
    def __init__(self, name: str, script: Script, port: int, token: str) -> None:
        self._script = script
        self._connection = KeepAlive(port, token)
        self._id = "heavy-" + "".join(
            letter if letter.isalnum() else "-" for letter in name.encode("ascii", "ignore").decode()
        )
        self._version = 1

    async def prepare(self) -> None:
        definition = {"name": "Heavy", "keywords": [], "search": [], "task_fields": []}
        for body in (definition, definition | self._script.definition):  # the second may be refused
            await self._send(Request("PUT", f"/definitions/{self._id}", body=json.dumps(body).encode()))
        for document in (self._script.document, b"{}"):  # the first may be refused
            start = b'{"definition":"%s","id":"%s","variables":%s}' % (self._id.encode(), self._id.encode(), document)
            if (await self._send(Request("POST", "/instances", body=start))).status in (201, 409):
                break
        for document in self._script.edits:
            await self._send(Request("PUT", "variables", body=document))

    async def repeat(self, answers: Counter[str]) -> None:
        while True:
            for request in self._script.requests:
                answer = await self._send(request)
                answers[str(answer.status)] += 1
                if answer.status in (0, 429, 503):
                    await asyncio.sleep(_REFUSED_SECONDS)

    async def _send(self, request: Request) -> Answer:
        path = _W + request.path if request.path.startswith("/") else f"{_W}/instances/{self._id}/{request.path}"
        headers = list(request.headers)
        if request.body:
            headers += [f"Content-Type: {request.content_type}", f'If-Match: "{self._version}"']
        answer = await self._connection.request(request.method, path, *headers, body=request.body)
        if answer.status == 200 and request.method in ("PUT", "PATCH") and request.path == "variables":
            self._version = answer.version or self._version
        elif answer.status == 412:
            self._version = json.loads(answer.body)["current_version"]
        return answer


async def _main(order: dict[str, Any]) -> dict[str, int]:
    client = _Client(order["script"], SCRIPTS[order["script"]](), order["port"], order["token"])
    await client.prepare()
    answers = Counter[str]()
    repeating = asyncio.create_task(client.repeat(answers))
    told = asyncio.create_task(own_process.until_told())
    await asyncio.wait([told, repeating], return_when=asyncio.FIRST_COMPLETED)
    if repeating.done():
        repeating.result()
    repeating.cancel()
    return answers


if __name__ == "__main__":
    own_process.main(_main)
