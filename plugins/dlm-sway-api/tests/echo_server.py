"""A server of completions with ``echo`` on loopback, in the forms that are documented, with a real model behind it.

``vllm``: ``/tokenize`` of a prompt or messages, ``/detokenize``, tokens named by id when asked to, at most 20 of them,
chosen ones always among them, no empty completion. ``legacy``: texts of tokens, at most 5, and an unknown key is
refused. Values are computed by PyTorch for each request.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

LEAST = -9999.0


class EchoServer(ThreadingHTTPServer):
    """Serves the model in ``folder`` as ``name``."""

    daemon_threads = True

    def __init__(self, folder: Path, name: str, form: str, longest: int = 512, adapter: Path | None = None) -> None:
        self.name, self.form, self.longest = name, form, longest
        self.most = {"vllm": 20, "legacy": 5}[form]
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
        if adapter is not None:
            from peft import PeftModel

            self.model = PeftModel.from_pretrained(self.model, adapter).eval()
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[Any] = []
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies that came for ``path``."""
        return [body for where, body in self.seen if where == path]

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and reply."""
        known = {"/v1/completions": self.completions}
        if self.form == "vllm":
            known |= {"/tokenize": self.tokenize, "/detokenize": self.detokenize}
        if path not in known:
            return 404, {"detail": "Not Found"}
        try:
            return 200, known[path](body)
        except (KeyError, ValueError) as error:
            return 400, {"error": {"message": str(error), "type": "BadRequestError"}}

    def tokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        if "messages" in body:
            text = self.tokenizer.apply_chat_template(body["messages"], add_generation_prompt=True, tokenize=False)
            ids = self.tokenizer(text, add_special_tokens=False).input_ids
        else:
            ids = self.tokenizer(body["prompt"], add_special_tokens=body.get("add_special_tokens", True)).input_ids
        return {"count": len(ids), "max_model_len": self.longest, "tokens": ids}

    def detokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"prompt": self.tokenizer.decode(body["tokens"])}

    def completions(self, body: dict[str, Any]) -> dict[str, Any]:
        by_id, top = bool(body.get("return_tokens_as_token_ids")), body.get("logprobs")
        if by_id and self.form == "legacy":
            raise ValueError("Unrecognized request argument supplied: return_tokens_as_token_ids")
        if top is not None and top > self.most:
            raise ValueError(f"Requested sample logprobs of {top}, which is greater than max allowed: {self.most}")
        if body["max_tokens"] < 1:
            raise ValueError("max_tokens must be at least 1")
        prompt = body["prompt"]
        ids = self.tokenizer(prompt).input_ids if isinstance(prompt, str) else prompt
        if len(ids) + body["max_tokens"] > self.longest:
            raise ValueError(f"This model's maximum context length is {self.longest} tokens")
        whole, ended = self.continued(ids, body)
        begin = 0 if body.get("echo") else len(ids)
        choice: dict[str, Any] = {"index": 0, "text": self.tokenizer.decode(whole[begin:], skip_special_tokens=True)}
        choice |= {"finish_reason": "stop" if ended else "length", "logprobs": None}
        if top is not None:
            choice["logprobs"] = self.logprobs(whole, begin, top, by_id)
        return {"id": "cmpl-1", "object": "text_completion", "model": self.name, "choices": [choice]}

    def continued(self, ids: list[int], body: dict[str, Any]) -> tuple[list[int], bool]:
        bias = {int(token): value for token, value in (body.get("logit_bias") or {}).items()}
        whole = list(ids)
        for _ in range(body["max_tokens"]):
            row = self.rows(whole)[-1].clone()
            for token, value in bias.items():
                row[token] += value
            whole.append(int(row.argmax()))
            if whole[-1] == self.tokenizer.eos_token_id:
                return whole, True
        return whole, False

    def rows(self, ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return self.model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)

    def logprobs(self, ids: list[int], begin: int, top: int, by_id: bool) -> dict[str, Any]:
        rows = self.rows(ids)
        found: dict[str, Any] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        offset = 0
        for at in range(begin, len(ids)):
            name = self.named(ids[at], by_id)
            found["tokens"].append(name)
            found["text_offset"].append(offset)
            offset += len(name)
            if at == 0:
                found["token_logprobs"].append(None)
                found["top_logprobs"].append(None)
                continue
            row = rows[at - 1]
            likeliest = [ids[at], *row.topk(top).indices.tolist()] if top else [ids[at]]
            found["token_logprobs"].append(max(LEAST, float(row[ids[at]])))
            # Of tokens with one text the likelier one is told.
            listed: dict[str, float] = {}
            for token in likeliest:
                listed.setdefault(self.named(token, by_id), max(LEAST, float(row[token])))
            found["top_logprobs"].append(listed)
        return found

    def named(self, token: int, by_id: bool) -> str:
        return f"token_id:{token}" if by_id else str(self.tokenizer.decode([token]))


class _Handler(BaseHTTPRequestHandler):
    server: EchoServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:  # one model, one request at a time
            self.server.seen.append((self.path, body))
            status, found = self.server.answer(self.path, body)
            if self.server.faults and status == 200 and "choices" in found:
                status, found = self.server.faults.pop(0)(status, found)
        reply = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def echoing(folder: Path, name: str, form: str, **more: Any) -> Iterator[EchoServer]:
    """The server, running."""
    made = EchoServer(folder, name, form, **more)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()
