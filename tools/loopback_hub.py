"""A hub for tests: it speaks the part of the Hugging Face Hub's API that its client needs to push and pull models.

``python tools/loopback_hub.py [--port N]`` prints its address; set ``HF_ENDPOINT`` to it, and ``HF_TOKEN`` to
``hf_ada`` (may write to ``ada/``), ``hf_bob`` (to ``bob/``) or ``hf_reader`` (to nothing). Large files go to and come
from ``http://localhost``, another host to a client of ``http://127.0.0.1``, as they do with the real hub. Everything is
kept in memory and gone at the end. It listens on the loopback interface alone.

Beside the API, ``GET /_log`` tells what was asked, ``POST /_well`` ends all misbehaviour, and ``POST /_faults`` begins
one:

    {"method": "GET", "path": "/storage/.*", "times": 1, "cut": 100000}      break off after so many bytes
    {"method": "PUT", "path": "/storage/.*", "cut": 100000, "wait": 30}      the same, after so many silent seconds
    {"method": "GET", "path": "/storage/.*", "flip": 1000}                   one bit of this byte is another
    {"method": "GET", "path": "/storage/.*", "range": "", "cut": 100000}     only who asks for all of it
    {"method": "POST", "path": ".*/commit/.*", "times": 2, "status": 503, "headers": {}, "body": {}}
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

USERS = {"hf_ada": "ada", "hf_bob": "bob", "hf_reader": ""}
"""By token, whose repositories it may write to."""
LARGE = 64 * 2**10
"""Bytes from which on every file is kept beside Git; binary ones always are."""
PART = 4 * 2**20
"""Bytes of one part of an upload in several."""
FIRST = "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"


@dataclass(frozen=True)
class Blob:
    """A file of a commit."""

    oid: str
    """As Git names it."""
    size: int
    sha256: str | None = None
    """Of a file kept beside Git."""


@dataclass
class Repo:
    """A repository with its history."""

    name: str
    private: bool
    gated: bool = False
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, Blob], message: str) -> str:
        """Add a state behind the last one of ``branch``; its id."""
        text = json.dumps([self.branches.get(branch), message, sorted((k, v.oid) for k, v in files.items())])
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid

    def find(self, revision: str) -> str | None:
        """The commit that a branch or a commit's id names."""
        return self.branches.get(revision) or (revision if revision in self.commits else None)


@dataclass
class Hub:
    """Everything that is there."""

    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    """By Git's id, and large ones by SHA-256."""
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def keep(self, content: bytes, *, large: bool) -> Blob:
        """Store a file."""
        sha = hashlib.sha256(content).hexdigest()
        inner = POINTER.format(oid=sha, size=len(content)).encode() if large else content
        oid = hashlib.sha1(f"blob {len(inner)}\0".encode() + inner).hexdigest()
        self.blobs[sha if large else oid] = content
        return Blob(oid, len(content), sha if large else None)

    def fault(self, method: str, path: str, wanted: str) -> dict[str, Any] | None:
        """How to misbehave now, if at all, when ``wanted`` is the range that was asked for."""
        with self.lock:
            for fault in self.faults:
                here = fault["method"] == method and re.fullmatch(fault["path"], path)
                if fault["times"] > 0 and here and re.fullmatch(fault["range"], wanted):
                    fault["times"] -= 1
                    return fault
        return None


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": message or code}
        self.headers = {**({"X-Error-Code": code} if code else {}), "X-Error-Message": message or code, **headers}


class Cut(Exception):
    """The connection breaks."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    hub: ClassVar[Hub]
    port: ClassVar[int]
    routes: ClassVar[list[tuple[str, re.Pattern[str], str]]] = [
        (method, re.compile(path), name)
        for method, path, name in (
            ("GET", r"/api/whoami-v2", "whoami"),
            ("POST", r"/api/repos/create", "create"),
            ("POST", r"/api/validate-yaml", "validate"),
            ("GET", r"/api/models/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/]+))?", "info"),
            ("GET", r"/api/models/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)", "tree"),
            ("POST", r"/api/models/(?P<repo>[^/]+/[^/]+)/branch/(?P<branch>[^/]+)", "branch"),
            ("POST", r"/api/models/(?P<repo>[^/]+/[^/]+)/preupload/(?P<revision>[^/]+)", "preupload"),
            ("POST", r"/api/models/(?P<repo>[^/]+/[^/]+)/commit/(?P<revision>[^/]+)", "commit"),
            ("POST", r"/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
            ("POST", r"/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/verify", "verify"),
            ("PUT", r"/storage/upload/(?P<oid>[0-9a-f]{64})(?:/(?P<part>\d+))?", "upload"),
            ("POST", r"/storage/complete/(?P<oid>[0-9a-f]{64})", "complete"),
            ("GET", r"/storage/object/(?P<oid>[0-9a-f]{64})", "stored"),
            ("GET", r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)", "resolve"),
            ("POST", r"/_faults", "misbehave"),
            ("POST", r"/_well", "well"),
            ("POST", r"/_gate/(?P<repo>[^/]+/[^/]+)", "gate"),
            ("GET", r"/_log", "told"),
        )
    ]

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        method = "GET" if self.command == "HEAD" else self.command
        fault = (
            None
            if parts.path.startswith("/_")
            else self.hub.fault(self.command, parts.path, self.headers.get("range", ""))
        )
        self.fault = fault or {}
        self.cut = self.fault.get("cut")
        if not parts.path.startswith("/_"):
            kept = ("authorization", "range", "content-length", "transfer-encoding", "host")
            headers = {key.lower(): value for key, value in self.headers.items() if key.lower() in kept}
            self.hub.log.append({"method": self.command, "path": parts.path, "headers": headers})
        try:
            body = self.body()
            if fault is not None and "status" in fault:
                self.answer(fault["status"], fault.get("body", {}), fault.get("headers", {}))
                return
            for wanted, path, name in self.routes:
                if wanted == method and (found := path.fullmatch(parts.path)):
                    given = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                    with self.hub.lock:
                        answer = getattr(self, f"on_{name}")(body, **given)
                    self.answer(*answer)
                    return
            raise Refused(404, "", "Not Found")
        except Refused as refused:
            self.answer(refused.status, refused.body, refused.headers)
        except Cut:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def body(self) -> bytes:
        """What was sent, in either way to say how much that is."""
        data = b""
        for chunk in self.sent():
            data += chunk
            if self.cut is not None and self.command in ("PUT", "POST") and len(data) >= self.cut:
                self.break_off()
        return data

    def sent(self) -> Any:
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("content-length", 0))
        while left:
            chunk = self.rfile.read(min(left, 2**16))
            if not chunk:
                raise Cut
            left -= len(chunk)
            yield chunk

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.cut is not None and self.cut < len(data):
            self.wfile.write(data[: self.cut])
            self.wfile.flush()
            self.break_off()
        if "flip" in self.fault:
            at = self.fault["flip"]
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        self.wfile.write(data)

    def break_off(self) -> None:
        time.sleep(self.fault.get("wait", 0))
        raise Cut

    def log_message(self, format: str, *args: Any) -> None:
        pass

    # Who may do what.

    def token(self) -> str | None:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        if kind == "Bearer" and token and token not in USERS:
            raise Refused(401, "", "Invalid credentials in Authorization header")
        return token or None

    def repo(self, name: str, *, write: bool = False, content: bool = False) -> Repo:
        token, found = self.token(), self.hub.repos.get(name)
        owner = USERS.get(token or "") == name.partition("/")[0]
        if found is None or (found.private and not owner):
            raise Refused(401 if token is None else 404, "RepoNotFound", "Repository not found")
        if content and found.gated and not owner:
            raise Refused(403, "GatedRepo", "Access to this model is restricted")
        if write and not owner:
            raise Refused(401 if token is None else 403, "", "You don't have the rights to write to this repository")
        return found

    def commit_of(self, repo: Repo, revision: str) -> str:
        if (found := repo.find(revision)) is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return found

    # The API.

    def on_whoami(self, body: bytes) -> Any:
        if (token := self.token()) is None:
            raise Refused(401, "", "Invalid username or password.")
        return 200, {"type": "user", "name": USERS[token] or "reader", "auth": {"type": "access_token"}}

    def on_create(self, body: bytes) -> Any:
        wanted = json.loads(body)
        if (token := self.token()) is None:
            raise Refused(401, "", "Invalid username or password.")
        owner = wanted.get("organization") or USERS[token]
        name = f"{owner}/{wanted['name']}"
        if USERS[token] != owner:
            raise Refused(403, "", f"You don't have the rights to create a model under the namespace {owner!r}")
        url = f"{self.home()}/{name}"
        if name in self.hub.repos:
            return 409, {"error": "You already created this model repo", "url": url}
        repo = Repo(name, wanted.get("visibility") == "private" or bool(wanted.get("private")))
        repo.commit("main", {".gitattributes": self.hub.keep(FIRST.encode(), large=False)}, "initial commit")
        self.hub.repos[name] = repo
        return 200, {"url": url, "name": name, "id": name}

    def on_validate(self, body: bytes) -> Any:
        import yaml

        text = json.loads(body)["content"]
        found = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
        if found is None:
            return 200, {"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]}
        try:
            keys = yaml.safe_load(found[1])
        except yaml.YAMLError as problem:
            return 400, {"errors": [{"message": str(problem)}], "warnings": []}
        licences = ("apache-2.0", "mit", "gemma", "llama3.2", "other", None)
        if keys.get("license") not in licences:
            return 400, {"errors": [{"message": f'"license" must be one of {licences}'}], "warnings": []}
        return 200, {"errors": [], "warnings": []}

    def on_info(self, body: bytes, repo: str, revision: str = "main") -> Any:
        found = self.repo(repo)
        commit = self.commit_of(found, revision)
        files = [self.sibling(name, blob) for name, blob in sorted(found.commits[commit].items())]
        keys = {"id": repo, "modelId": repo, "private": found.private, "gated": found.gated and "manual"}
        return 200, {"_id": repo, **keys, "sha": commit, "siblings": files, "tags": [], "downloads": 0, "likes": 0}

    def sibling(self, name: str, blob: Blob) -> dict[str, Any]:
        if "blobs" not in self.query:
            return {"rfilename": name}
        large = {"lfs": {"sha256": blob.sha256, "size": blob.size, "pointerSize": 130}} if blob.sha256 else {}
        return {"rfilename": name, "blobId": blob.oid, "size": blob.size, **large}

    def on_tree(self, body: bytes, repo: str, revision: str) -> Any:
        found = self.repo(repo, content=True)
        files = found.commits[self.commit_of(found, revision)]
        rows: list[dict[str, Any]] = []
        for name, blob in sorted(files.items()):
            large = {"lfs": {"oid": blob.sha256, "size": blob.size, "pointerSize": 130}} if blob.sha256 else {}
            rows.append({"type": "file", "oid": blob.oid, "size": blob.size, "path": name, **large})
        return 200, rows

    def on_branch(self, body: bytes, repo: str, branch: str) -> Any:
        found = self.repo(repo, write=True)
        if branch in found.branches:
            raise Refused(409, "", "Reference already exists")
        found.branches[branch] = found.branches["main"]
        return 200, {}

    def on_preupload(self, body: bytes, repo: str, revision: str) -> Any:
        found = self.repo(repo, write=True)
        files = found.commits[self.commit_of(found, revision)]
        rows = []
        for one in json.loads(body)["files"]:
            large = one["size"] >= LARGE or b"\0" in base64.b64decode(one["sample"])
            there = files.get(one["path"])
            oid = None if there is None else there.sha256 if large else there.oid
            row = {"path": one["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            rows.append({**row, **({"oid": oid} if oid else {})})
        return 200, {"files": rows, "commitOid": self.commit_of(found, revision)}

    def on_batch(self, body: bytes, repo: str) -> Any:
        self.repo(repo, write=True)
        objects = []
        for one in json.loads(body)["objects"]:
            oid, size = one["oid"], one["size"]
            if oid in self.hub.blobs:
                objects.append({"oid": oid, "size": size})
                continue
            there = f"{self.storage()}/storage"
            upload: dict[str, Any] = {"href": f"{there}/upload/{oid}"}
            if size > PART:
                count = -(-size // PART)
                urls = {f"{n + 1:05d}": f"{there}/upload/{oid}/{n + 1}" for n in range(count)}
                upload = {"href": f"{there}/complete/{oid}", "header": {"chunk_size": str(PART), **urls}}
            verify = {"href": f"{self.home()}/{repo}.git/info/lfs/verify"}
            objects.append({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}})
        return 200, {"transfer": "multipart", "objects": objects}

    def on_upload(self, body: bytes, oid: str, part: str | None = None) -> Any:
        if self.headers.get("transfer-encoding") == "chunked":
            raise Refused(501, "", "A header you provided implies functionality that is not implemented")
        if part is not None:
            self.hub.parts[oid, int(part)] = body
        elif hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "", "XAmzContentSHA256Mismatch")
        else:
            self.hub.blobs[oid] = body
        return 200, b"", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}

    def on_complete(self, body: bytes, oid: str) -> Any:
        parts = json.loads(body)["parts"]
        whole = b"".join(self.hub.parts[oid, one["partNumber"]] for one in parts)
        if hashlib.sha256(whole).hexdigest() != oid:
            raise Refused(400, "", "The parts are not the file")
        self.hub.blobs[oid] = whole
        return 200, {}

    def on_verify(self, body: bytes, repo: str) -> Any:
        self.repo(repo, write=True)
        wanted = json.loads(body)
        if len(self.hub.blobs.get(wanted["oid"], b"")) != wanted["size"]:
            raise Refused(404, "", "Not uploaded")
        return 200, {}

    def on_commit(self, body: bytes, repo: str, revision: str) -> Any:
        found = self.repo(repo, write=True)
        head = found.branches.get(revision)
        if head is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        lines = [json.loads(line) for line in body.splitlines()]
        if lines[0]["value"].get("parentCommit", head) != head:
            raise Refused(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(found.commits[head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = self.hub.keep(base64.b64decode(value["content"]), large=False)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.blobs:
                    raise Refused(400, "", f"LFS pointer pointed to a file that does not exist: {value['path']}")
                files[value["path"]] = self.hub.keep(self.hub.blobs[value["oid"]], large=True)
            elif line["key"] == "deletedFile" and files.pop(value["path"], None) is None:
                raise Refused(404, "EntryNotFound", "A file with this name doesn't exist")
        if files == found.commits[head]:
            raise Refused(400, "", "No files have been modified since last commit")
        oid = found.commit(revision, files, lines[0]["value"]["summary"])
        return 200, {"success": True, "commitOid": oid, "commitUrl": f"{self.home()}/{repo}/commit/{oid}"}

    def on_resolve(self, body: bytes, repo: str, revision: str, name: str) -> Any:
        found = self.repo(repo, content=True)
        commit = self.commit_of(found, revision)
        blob = found.commits[commit].get(name)
        told = {"X-Repo-Commit": commit}
        if blob is None:
            raise Refused(404, "EntryNotFound", "Entry not found", **told)
        if blob.sha256 is None:
            return self.ranged(self.hub.blobs[blob.oid], {**told, "ETag": f'"{blob.oid}"'})
        linked = {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
        place = f"{self.storage()}/storage/object/{blob.sha256}?signature=abc"
        return 302, b"", {**told, **linked, "ETag": f'"{blob.sha256}"', "Location": place}

    def on_stored(self, body: bytes, oid: str) -> Any:
        if self.headers.get("authorization"):
            raise Refused(400, "", "Only one auth mechanism allowed")
        return self.ranged(self.hub.blobs[oid], {"ETag": f'"{oid}"'})

    def ranged(self, data: bytes, headers: dict[str, str]) -> Any:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if found is None:
            return 200, data, headers
        start, end = int(found[1]), min(int(found[2] or len(data) - 1), len(data) - 1)
        if start > end:
            raise Refused(416, "", "Range not satisfiable", **{"Content-Range": f"bytes */{len(data)}"})
        return 206, data[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"}

    # For tests.

    def on_misbehave(self, body: bytes) -> Any:
        self.hub.faults.append({"method": "GET", "path": ".*", "range": ".*", "times": 1, **json.loads(body)})
        return 200, {}

    def on_well(self, body: bytes) -> Any:
        self.hub.faults.clear()
        return 200, {}

    def on_gate(self, body: bytes, repo: str) -> Any:
        self.hub.repos[repo].gated = True
        return 200, {}

    def on_told(self, body: bytes) -> Any:
        return 200, self.hub.log

    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def storage(self) -> str:
        return f"http://localhost:{self.port}"


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    Handler.hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    server.daemon_threads = True
    Handler.port = server.server_port
    print(f"http://127.0.0.1:{Handler.port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
