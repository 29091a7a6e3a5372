"""Ollama's documented HTTP API on this machine's own address, with llama.cpp behind it.

What a server of Ollama does with a model is done here: blobs are held by digest, a model is made of them, its template
is run on its system prompt and the conversation, llama.cpp reads and answers. Errors are worded as Ollama words them.
What it does not have: downloads, tools, embeddings.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any

from dlm.corpus.records import Message
from dlm_gguf.llamacpp import LlamaCpp
from dlm_ollama.conversation import render

Render = Callable[[str, "list[Message]", "str | None"], str]


class Fault(Exception):
    """An answer of Ollama that is an error."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Loopback(ThreadingHTTPServer):
    """Start it with :func:`serving`. ``faults`` change what it does, each for as long as it is there."""

    daemon_threads = True

    def __init__(self, folder: Path, version: str, render: Render) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.version, self.render = folder, version, render
        self.models: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []
        self.shows_prompts = True
        """Newer versions show a rendered prompt when they are asked for nothing else."""
        self.counts_new_only = False
        self._loaded: dict[str, LlamaCpp] = {}
        self._read: dict[str, list[int]] = {}
        self._one_at_a_time = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def blob(self, digest: str) -> Path:
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise Fault(400, "invalid digest format")
        return self.folder / digest.replace(":", "-")

    def take_blob(self, digest: str, data: bytes) -> None:
        data = data[: self.faults.get("bytes that arrive")]
        found = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if found != digest:
            raise Fault(400, f'digest mismatch, expected "{digest}", got "{found}"')
        self.blob(digest).write_bytes(data)

    def create(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines of the reply; the model is there at the last one."""
        if body.get("adapters") and self._number() >= (0, 34, 1):
            raise Fault(400, "LoRA adapters are no longer supported")
        lines: list[dict[str, Any]] = []
        for digest in [*body.get("files", {}).values(), *body.get("adapters", {}).values()]:
            lines.append({"status": "parsing GGUF"})
            if not self.blob(digest).is_file():
                return [*lines, {"error": f"blob not found ({digest})", "status": 400}]
        if not body.get("files"):
            return [{"error": "neither 'from' or 'files' was specified", "status": 400}]
        self.models[body["model"]] = body
        return [*lines, {"status": "writing manifest"}, {"status": "success"}]

    def _number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        messages = [Message(turn["role"], turn["content"]) for turn in body["messages"]]
        model = self._model(body)
        text = self.render(model.get("template", ""), messages, model.get("system"))
        if body.get("_debug_render_only") and self.shows_prompts:
            return {"model": body["model"], "_debug_info": {"rendered_template": text}}
        said, counts = self._complete(body, text)
        return {"model": body["model"], "message": {"role": "assistant", "content": said}, "done": True, **counts}

    def generate(self, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("prompt"):
            self._unload(body["model"])
            return {"model": body["model"], "response": "", "done": True, "done_reason": "unload"}
        model = self._model(body)
        text = body["prompt"]
        if not body.get("raw"):
            text = self.render(model.get("template", ""), [Message("user", text)], model.get("system"))
        said, counts = self._complete(body, text)
        context = self._runtime(body["model"]).model.tokenize(text + said, start=False)
        return {"model": body["model"], "response": said, "done": True, **counts, "context": context}

    def _model(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("model") not in self.models:
            raise Fault(404, f"model '{body.get('model')}' not found")
        return self.models[body["model"]]

    def _complete(self, body: dict[str, Any], text: str) -> tuple[str, dict[str, int]]:
        """A greedy answer, whatever temperature the model has: that is what is asked for in tests."""
        options = {**self._model(body).get("parameters", {}), **body.get("options", {})}
        assert options["temperature"] == 0
        with self._one_at_a_time:
            runtime = self._runtime(body["model"])
            ids = runtime.model.tokenize(text, start=True)
            said = self._greedy(runtime, ids, options["num_predict"])
        for stop in options.get("stop", []):
            said = said.partition(stop)[0]
        return said, {} if self.faults.get("no counts") else {"prompt_eval_count": self._counted(body["model"], ids)}

    def _counted(self, name: str, ids: list[int]) -> int:
        """All of a prompt, or what of it was not read just before, as some versions count."""
        before = self._read.get(name, []) if self.counts_new_only else []
        self._read[name] = ids
        return len(ids) - sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, ids, strict=False)))

    def _greedy(self, runtime: LlamaCpp, ids: list[int], most: int) -> str:
        model, written = runtime.model, list[int]()
        model.forget()
        read, place = ids, 0
        while len(written) < most:
            steps = [(token, place + n, 0, n == len(read) - 1) for n, token in enumerate(read)]
            token = int(model.decode(steps)[-1].argmax())
            place += len(read)
            if token in runtime.stop_ids:
                break
            written.append(token)
            read = [token]
        return model.text(written)

    def _runtime(self, name: str) -> LlamaCpp:
        if name not in self._loaded:
            made = self.models[name]
            (model,) = made["files"].values()
            adapters = [(self.blob(digest), 1.0) for digest in made.get("adapters", {}).values()]
            self._loaded[name] = LlamaCpp(self.blob(model), adapters, context=512)
        return self._loaded[name]

    def _unload(self, name: str) -> None:
        self._read.pop(name, None)
        if (runtime := self._loaded.pop(name, None)) is not None:
            runtime.close()

    def server_close(self) -> None:
        super().server_close()
        for name in [*self._loaded]:
            self._unload(name)


class Handler(BaseHTTPRequestHandler):
    server: Loopback

    def do_HEAD(self) -> None:
        self._noted()
        digest = self.path.removeprefix("/api/blobs/")
        self.send_response(200 if self.server.blob(digest).is_file() else 404)
        self.end_headers()

    def do_GET(self) -> None:
        self._answer(lambda body: {"version": self.server.version}, {"/api/version": True})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        if self.path.startswith("/api/blobs/"):
            self._answer(lambda body: self.server.take_blob(self.path.removeprefix("/api/blobs/"), data), None, 201)
        elif self.path == "/api/create":
            self._create(json.loads(data))
        else:
            known = {"/api/chat": self.server.chat, "/api/generate": self.server.generate}
            self._answer(lambda body: known[self.path](json.loads(data)), known)

    def _answer(self, work: Callable[[Any], Any], known: dict[str, Any] | None, status: int = 200) -> None:
        self._noted()
        try:
            if known is not None and self.path not in known:
                raise Fault(404, "not found")
            if (fault := self.server.faults.get(self.path)) is not None:
                raise fault
            self._send(status, work(None))
        except Fault as fault:
            self._send(fault.status, {"error": str(fault)})

    def _create(self, body: dict[str, Any]) -> None:
        self._noted()
        try:
            lines = self.server.create(body)
        except Fault as fault:
            self._send(fault.status, {"error": str(fault)})
            return
        self.send_response(200)
        self.end_headers()
        for line in lines[: self.server.faults.get("lines of a creation")]:
            self.wfile.write(json.dumps(line).encode() + b"\n")

    def _send(self, status: int, body: Any) -> None:
        data = b"" if body is None else self.server.faults.get("answer", json.dumps(body).encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _noted(self) -> None:
        self.server.asked.append((self.command, self.path))

    def log_message(self, *_: Any) -> None:
        """Tests have a terminal of their own."""


@contextmanager
def serving(folder: Path, version: str = "0.34.2", render: Render = render):
    server = Loopback(folder, version, render)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
