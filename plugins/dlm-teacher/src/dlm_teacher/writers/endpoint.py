"""A teacher behind an endpoint that speaks the OpenAI chat-completions format, on this machine or elsewhere."""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from ..errors import TeacherFailed
from ..options import WHERE
from .base import Writer
from .keys import address, key_for, refused

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ..options import Options
    from ..prompts import Prompt

ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds; each pause is twice the one before, unless the endpoint asks for another."""
TOP_P = 0.95
_LONGEST_REPLY = 8 << 20
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_OPTIONAL = ("seed", "top_p", "temperature", "max_tokens")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the text and the key to a host that nobody named."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Passing(Exception):
    """Worth another try. ``wait`` is what the endpoint asks for, in seconds."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


class _Unwanted(Exception):
    """The service does not take one of the options; it is left out from now on."""


class EndpointWriter(Writer):
    """Several requests at a time; what passes is tried again, everything else is said as it is."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._where = address(options.model)
        self._key = key_for(self._where, options.api_key_env)
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._left_out: frozenset[str] = frozenset()

    @property
    def identity(self) -> str:
        return f"endpoint {self._where.url} {self._options.name}"

    def write(self, prompts: Sequence[Prompt], temperature: float) -> Generator[tuple[int, str], None, None]:
        """See :meth:`Writer.write`. Threads are daemons: Ctrl-C does not wait for replies under way."""
        todo, done = queue.SimpleQueue[int](), queue.SimpleQueue[tuple[int, str | BaseException]]()
        for place in range(len(prompts)):
            todo.put(place)
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                try:
                    place = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    done.put((place, self._reply(prompts[place], temperature, stop)))
                except BaseException as problem:
                    done.put((place, problem))

        for _ in range(min(self._options.parallel, len(prompts))):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in prompts:
                place, reply = _wait(done)
                if isinstance(reply, BaseException):
                    raise reply
                yield place, reply
        finally:
            stop.set()

    def _reply(self, prompt: Prompt, temperature: float, stop: threading.Event) -> str:
        pause, attempt = FIRST_PAUSE, 1
        while True:
            try:
                return self._once(self._body(prompt, temperature))
            except _Unwanted:
                continue
            except _Passing as problem:
                if attempt == ATTEMPTS or stop.is_set():
                    raise TeacherFailed(
                        f"{self._where.url}: {problem}, {attempt} times: check the service and run the command again; "
                        "what was answered so far is kept"
                    ) from problem
                wait = pause if problem.wait is None else problem.wait
            stop.wait(min(max(wait, 0.0), LONGEST_PAUSE))
            pause, attempt = pause * 2, attempt + 1

    def _body(self, prompt: Prompt, temperature: float) -> dict[str, Any]:
        wanted = {"temperature": temperature, "top_p": TOP_P, "seed": prompt.seed, "max_tokens": prompt.max_tokens}
        kept = {name: value for name, value in wanted.items() if name not in self._left_out}
        if "max_tokens" in self._left_out:
            # Services that think before they answer count both, under this name.
            kept["max_completion_tokens"] = 4 * prompt.max_tokens
        return {"model": self._options.name, "messages": [{"role": "user", "content": prompt.text}], **kept}

    def _once(self, body: dict[str, Any]) -> str:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "dlm-teacher"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._where.url, json.dumps(body).encode(), headers)
        try:
            with self._opener.open(request, timeout=self._options.timeout_s) as response:
                return self._content(response.read(_LONGEST_REPLY))
        except urllib.error.HTTPError as problem:
            with problem:
                return self._refusal(problem, body)
        except TimeoutError as problem:
            raise _Passing(f"no answer within {self._options.timeout_s:g} s") from problem
        except (urllib.error.URLError, HTTPException, OSError) as problem:
            raise _Passing(f"cannot be reached ({self._shown(getattr(problem, 'reason', problem))})") from problem

    def _content(self, raw: bytes) -> str:
        try:
            content = json.loads(raw)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as problem:
            raise TeacherFailed(
                f"{self._where.url} answered in another format than chat completions "
                f"({self._shown(raw.decode('utf-8', 'replace'))}): check {WHERE}.model; it usually ends with /v1"
            ) from problem
        # Half a surrogate pair is valid in JSON and in no file.
        return content.encode("utf-8", "replace").decode() if isinstance(content, str) else ""

    def _refusal(self, problem: urllib.error.HTTPError, body: dict[str, Any]) -> str:
        """What to do about an HTTP error: try again, leave an option out, or give up."""
        try:
            text = problem.read(_LONGEST_REPLY).decode("utf-8", "replace")
        except (OSError, HTTPException) as broken:
            raise _Passing(f"answered {problem.code} and broke off") from broken
        error = _error(text)
        said = self._shown(error.get("message") or text)
        if problem.code in _PASSING:
            raise _Passing(f"answered {problem.code} ({said})", _seconds(problem.headers.get("Retry-After")))
        if problem.code in (400, 422):
            if error.get("code") == "content_filter":
                return ""
            if (option := error.get("param")) in _OPTIONAL and option in body:
                self._left_out |= {str(option)}
                raise _Unwanted
        if problem.code in (401, 403):
            raise TeacherFailed(
                f"{self._where.url} answered {problem.code} ({said}): {refused(self._where, self._options.api_key_env)}"
            )
        if 300 <= problem.code < 400:
            there = self._shown(problem.headers.get("Location") or "nowhere")
            raise TeacherFailed(f"{self._where.url} sends to {there}: if you trust that, write it into {WHERE}.model")
        raise TeacherFailed(
            f"{self._where.url} answered {problem.code} ({said}): check {WHERE}.model and .name "
            f"({self._options.name!r})"
        )

    def _shown(self, said: object) -> str:
        """What an endpoint says, fit for a terminal and without the key."""
        text = str(said)
        if self._key:
            text = text.replace(self._key, "[key]")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return f"{text[:200]}..." if len(text) > 200 else text or "no text"


def _error(text: str) -> dict[str, Any]:
    """The ``error`` object of a reply, or an empty one."""
    try:
        found = json.loads(text)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {"message": found}


def _seconds(header: str | None) -> float | None:
    """``Retry-After`` as seconds; a date is left to the usual pauses."""
    try:
        return float(header) if header else None
    except ValueError:
        return None


def _wait(done: queue.SimpleQueue[tuple[int, str | BaseException]]) -> tuple[int, str | BaseException]:
    while True:
        try:
            # Without a limit, Ctrl-C would not get through on every system.
            return done.get(timeout=0.5)
        except queue.Empty:
            continue
