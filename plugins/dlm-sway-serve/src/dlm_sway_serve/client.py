"""The other end: ask a server from Python, and get sway's own errors back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from dlm_sway.errors import Fault, SwayError
from dlm_sway.spec.source import read

from .strict import loads


class ServeError(SwayError):
    """A server that failed, or cannot be understood. ``status`` is 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0, kind: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        """Name of the error on the server, such as ``SpecError``."""
        self.faults = tuple(faults)
        """Every mistake in the suite, if that is what was wrong."""


class ServeRefused(ServeError):
    """A server that says the request or its suite is wrong."""

    exit_code = 2


class ServeClient:
    """Asks the server at ``url``. ``timeout`` is in seconds, for each request; close it, or use it in ``with``::

    with ServeClient("http://127.0.0.1:8377") as sway:
        result = sway.run("sway.yaml")
        print(result["gate"]["outcome"])
    """

    def __init__(self, url: str, timeout: float = 120, api_key: str | None = None) -> None:
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.Client(base_url=url, timeout=timeout, headers=headers)

    def health(self) -> dict[str, Any]:
        """That the server answers, and which models are loaded."""
        return self._ask("GET", "/health")

    def stats(self) -> dict[str, Any]:
        """What the server did so far."""
        return self._ask("GET", "/stats")

    def run(
        self,
        spec: Mapping[str, Any] | str | Path,
        *,
        seed: int | None = None,
        weights: Mapping[str, float] | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """The result JSON of a suite, with ``request_seconds``. ``spec`` is its data, or the path of a file here, whose
        paths count from the server's folder; ``name`` is what the result calls it, in place of that path.

        Raises:
            SpecError: the file here cannot be read.
            ServeError: the server did not answer with a result.
        """
        given = {"seed": seed, "weights": weights and dict(weights), "threshold": threshold, "spec_path": name}
        return self._ask("POST", "/run", {**_suite(spec), **{k: v for k, v in given.items() if v is not None}})

    def score(self, spec: Mapping[str, Any] | str | Path, probe_names: Sequence[str]) -> dict[str, Any]:
        """``probes``: what the entries of these names found.

        Raises:
            SpecError, ServeError: see :meth:`run`.
        """
        return self._ask("POST", "/score", {**_suite(spec), "probe_names": list(probe_names)})

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TimeoutException as error:
            raise ServeError(f"{self._http.base_url}: no answer in time: ask for less, or raise `timeout`") from error
        except httpx.HTTPError as error:
            raise ServeError(f"{self._http.base_url}: {error}: is `sway serve` running there?") from error
        try:
            found = loads(answer.content)
        except ValueError as error:
            raise self._foreign(answer, str(error)) from error
        if not isinstance(found, dict):
            raise self._foreign(answer, "the answer is no object")
        if answer.is_success:
            return found
        raise self._failure(answer, found)

    def _failure(self, answer: httpx.Response, found: dict[str, Any]) -> ServeError:
        error = found.get("error")
        try:
            faults = [Fault(**fault) for fault in error["faults"]]  # type: ignore[index]
            kind = ServeRefused if error["exit_code"] == ServeRefused.exit_code else ServeError  # type: ignore[index]
            return kind(str(error["message"]), answer.status_code, str(error["type"]), faults)  # type: ignore[index]
        except (TypeError, KeyError):
            return self._foreign(answer, "its error has another form")

    def _foreign(self, answer: httpx.Response, why: str) -> ServeError:
        message = f"{answer.url} answered {answer.status_code}, but not as `sway serve` does ({why}): check the address"
        return ServeError(message, answer.status_code)


def _suite(spec: Mapping[str, Any] | str | Path) -> dict[str, Any]:
    if isinstance(spec, Mapping):
        return {"spec": dict(spec)}
    return {"spec": read(Path(spec)).data, "spec_path": str(spec)}
