"""A real HTTP server that speaks the chat-completions format and says what a test wrote down; lessons to teach."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from dlm.corpus.lesson import AugmentContext, Lesson
from dlm.corpus.makers import Block
from dlm.corpus.records import Message, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Service:
    """The scripted endpoint. ``answer`` turns a request's body into a reply's text, or an HTTP status with a body."""

    url: str = ""
    answer: Callable[[dict[str, Any]], Any] = lambda _: ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        return [body["messages"][0]["content"] for body in self.bodies]


class Refused:
    """An HTTP status in place of an answer."""

    def __init__(self, status: int, body: Any = "", headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self.body = (body if isinstance(body, str) else json.dumps(body)).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    scripted = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            scripted.bodies.append(body)
            scripted.headers.append({**self.headers, "path": self.path})
            said = scripted.answer(body)
            if isinstance(said, str):
                said = Refused(200, {"choices": [{"message": {"role": "assistant", "content": said}}]})
            self.send_response(said.status)
            for name, value in {**said.headers, "Content-Length": str(len(said.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the test looks at what was asked itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scripted.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


def pair(question: str, answer: str, group: str = "pair", before: tuple[Message, ...] = ()) -> Record:
    turns = (*before, Message("user", question), Message("assistant", answer))
    return Record("qa", "answer", group, f"section of {group}", turns)


def block(title: str, text: str, group: str = "block") -> Block:
    record = Record("prose", "text", group, f"section of {group}", text=text, title=title, weight=2.0)
    return Block(record, title.split(" > ")[-1], 1500)


def lesson(*parts: Record | Block, reserved: tuple[str, ...] = (), seed: int = 1) -> Lesson:
    questions = tuple(part for part in parts if isinstance(part, Record))
    blocks = tuple(part for part in parts if isinstance(part, Block))
    return Lesson("Kittiwake runbook", questions, blocks, reserved, seed, 1500)


@pytest.fixture
def said() -> list[str]:
    """What was said to people."""
    return []


@pytest.fixture
def context(tmp_path: Path, said: list[str]) -> AugmentContext:
    return AugmentContext(tmp_path, tmp_path / "cache", said.append)
