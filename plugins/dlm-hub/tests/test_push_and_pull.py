"""``hf:``: what is pushed is what is pulled, whatever breaks on the way; nothing is published that should not be."""

from __future__ import annotations

import importlib.util
import json
import random
import signal
import time

import pytest

COMMIT = "b" * 40
PACK = "adapter.dlm.pack"


def test_what_was_pushed_is_pulled_by_somebody_else_to_the_byte(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    document = ada.trained(megabytes=6)
    told = ada.dlm("push", document, "--to", f"hf:{repo}")
    commit = hub.commit(repo)
    assert f"hf:{repo}@{commit}" in told
    assert f"made the public repository {hub.url}/{repo}" in told
    bob.dlm("pull", f"hf:{repo}")
    assert (bob.folder / "harbour.dlm").read_bytes() == document.read_bytes()
    name = "adapter/versions/v0001/adapter_model.safetensors"
    assert bob.store()[name] == ada.store()[name] == hub.files(repo)["adapter_model.safetensors"]
    assert not (bob.home / "pulling").exists() or not [one for one in (bob.home / "pulling").iterdir() if one.is_dir()]
    assert not list((ada.home / "pushing").iterdir())


def test_the_pack_and_what_peft_loads_come_in_one_commit_and_name_no_place_of_the_sender(hub, person, repo) -> None:
    ada = person("ada")
    ada.dlm("push", ada.trained(), "--to", f"hf:{repo}")
    assert len(hub.log("POST", f"{repo}/commit/")) == 1
    files = hub.files(repo)
    assert set(files) == {
        *(".gitattributes", PACK, "adapter_config.json", "adapter_model.safetensors", "README.md", "dlm.json"),
    }
    config = json.loads(files["adapter_config.json"])
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/tiny", COMMIT)
    assert not [name for name, data in files.items() if str(ada.folder).encode() in data]


def test_the_token_goes_to_the_hub_and_not_to_where_it_keeps_large_files(hub, person, repo) -> None:
    ada, other = person("ada"), person("bob")
    before = len(hub.log("PUT")), len(hub.log("GET", "/storage/"))
    ada.dlm("push", ada.trained(megabytes=5), "--to", f"hf:{repo}")
    other.dlm("pull", f"hf:{repo}")
    sent, fetched = hub.log("PUT")[before[0] :], hub.log("GET", "/storage/")[before[1] :]
    assert len(sent) > 2
    assert len(fetched) > 0
    assert all(one["headers"]["host"].startswith("localhost:") for one in (*sent, *fetched))
    assert not [one for one in (*sent, *fetched) if "authorization" in one["headers"]]


def test_the_same_again_is_no_commit_and_a_new_version_leaves_the_former_one_in_reach(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(), "--to", f"hf:{repo}")
    first, count = hub.commit(repo), len(hub.log("POST", f"{repo}/commit/"))
    assert "nothing has changed" in ada.dlm("push", ada.folder / "harbour.dlm", "--to", f"hf:{repo}")
    assert (hub.commit(repo), len(hub.log("POST", f"{repo}/commit/"))) == (first, count)
    ada.dlm("push", ada.trained("Its port is 7500 now."), "--to", f"hf:{repo}")
    assert hub.commit(repo) != first
    bob.dlm("pull", f"hf:{repo}@{first}")
    assert "7413" in (bob.folder / "harbour.dlm").read_text()
    bob.dlm("pull", f"hf:{repo}", "--force")
    assert "7500" in (bob.folder / "harbour.dlm").read_text()


def test_a_branch_is_made_and_pulled_by_its_name(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(), "--to", f"hf:{repo}@next")
    assert PACK in hub.files(repo, "next")
    assert PACK not in hub.files(repo)
    assert f"holds no {PACK}" in bob.dlm("pull", f"hf:{repo}", code=1)
    bob.dlm("pull", f"hf:{repo}@next")
    assert "names a commit" in ada.dlm("push", ada.folder / "harbour.dlm", "--to", f"hf:{repo}@{COMMIT}", code=2)


def test_an_upload_that_breaks_off_is_finished_in_the_same_run(hub, person, repo) -> None:
    ada = person("ada")
    hub.misbehave("PUT", "/storage/upload/.*", cut=500_000, times=2)
    ada.dlm("push", ada.trained(megabytes=6), "--to", f"hf:{repo}")
    assert len(hub.files(repo)["adapter_model.safetensors"]) == 6_000_000


def test_a_push_that_was_killed_leaves_nothing_visible_and_the_next_sends_what_is_missing(hub, person, repo) -> None:
    ada = person("ada")
    document = ada.trained(megabytes=9)
    hub.misbehave("POST", f"/api/models/{repo}/commit/main", cut=1, wait=30)
    before = len(hub.log("PUT"))
    process = ada.start("push", document, "--to", f"hf:{repo}")
    _until(lambda: hub.log("POST", f"{repo}/commit/"))
    _kill(process)
    assert set(hub.files(repo)) == {".gitattributes"}
    sent = len(hub.log("PUT")) - before
    ada.dlm("push", document, "--to", f"hf:{repo}")
    assert PACK in hub.files(repo)
    assert len(hub.log("PUT")) - before == sent, "what had arrived was sent again"


def test_a_download_that_breaks_off_goes_on_in_the_same_run(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(megabytes=5), "--to", f"hf:{repo}")
    before = len(hub.log("GET", "/storage/"))
    hub.misbehave("GET", "/storage/object/.*", range=r"|bytes=\d+-", cut=1_500_000, times=3)
    bob.dlm("pull", f"hf:{repo}")
    begun = [one["headers"].get("range", "bytes=0-") for one in hub.log("GET", "/storage/")[before:]]
    starts = [int(one.removeprefix("bytes=").split("-")[0]) for one in begun]
    assert starts == sorted(starts)
    # Each broken answer had 1.5 MB; what was on the way when it broke may be lost.
    assert starts[-1] > 1_500_000


@pytest.mark.parametrize("end", ["killed", "failed"])
def test_a_pull_that_ended_goes_on_where_it_was(hub, person, repo, end) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(megabytes=5), "--to", f"hf:{repo}")
    size = len(hub.raw(repo, PACK))
    if end == "killed":
        hub.misbehave("GET", "/storage/object/.*", range="", cut=3_000_000, wait=30)
        process = bob.start("pull", f"hf:{repo}")
        _until(lambda: [one for one in bob.home.rglob("*.part") if one.stat().st_size > 2_000_000])
        _kill(process)
    else:
        hub.misbehave("GET", "/storage/object/.*", range="", cut=3_000_000)
        hub.misbehave("GET", "/storage/object/.*", range=r"bytes=\d+-", status=503, times=3)
        assert "answers 503: run it again later" in bob.dlm("pull", f"hf:{repo}", code=3)
    assert not (bob.home / "store").exists()
    assert not (bob.folder / "harbour.dlm").exists()
    [part] = bob.home.rglob("*.part")
    kept, before = part.stat().st_size, len(hub.log("GET", "/storage/"))
    assert 0 < kept < size
    bob.dlm("pull", f"hf:{repo}")
    ranges = [one["headers"].get("range") for one in hub.log("GET", "/storage/")[before:]]
    assert ranges[-1] == f"bytes={kept}-"
    assert (bob.folder / "harbour.dlm").is_file()


def test_what_is_left_of_another_state_is_not_gone_on_with(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(megabytes=5), "--to", f"hf:{repo}")
    hub.misbehave("GET", "/storage/object/.*", range="", cut=3_000_000, wait=30)
    process = bob.start("pull", f"hf:{repo}")
    _until(lambda: [one for one in bob.home.rglob("*.part") if one.stat().st_size > 1_000_000])
    _kill(process)
    ada.dlm("push", ada.trained("Another text.", megabytes=5), "--to", f"hf:{repo}")
    bob.dlm("pull", f"hf:{repo}")
    assert "Another text." in (bob.folder / "harbour.dlm").read_text()


def test_a_byte_that_changed_on_the_way_is_noticed_and_the_next_pull_is_right(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    ada.dlm("push", ada.trained(megabytes=5), "--to", f"hf:{repo}")
    hub.misbehave("GET", "/storage/object/.*", range="", flip=200_000)
    told = bob.dlm("pull", f"hf:{repo}", code=3)
    assert "is not what the hub says it is" in told
    assert not list(bob.home.rglob("*.part"))
    assert not list(bob.home.rglob(PACK))
    bob.dlm("pull", f"hf:{repo}")


def test_somebody_who_pushes_at_the_same_time_is_not_overwritten(hub, person, repo) -> None:
    ada = person("ada")
    document = ada.trained()
    ada.dlm("push", document, "--to", f"hf:{repo}")
    hub.misbehave("POST", f"/api/models/{repo}/commit/.*", status=412, body={"error": "A commit has happened since"})
    told = ada.dlm("push", ada.trained("Changed."), "--to", f"hf:{repo}", code=3)
    assert "was changed by somebody else meanwhile (A commit has happened since): run it again" in told


def test_a_private_repository_is_made_for_who_asks_and_a_public_one_is_not_taken_for_it(hub, person, repo) -> None:
    ada, bob = person("ada"), person("bob")
    document = ada.trained()
    assert "made the private repository" in ada.dlm("push", document, "--to", f"hf:{repo}", "--set", "private=yes")
    assert f"shows no repository {repo}" in bob.dlm("pull", f"hf:{repo}", code=1)
    ada.dlm("push", document, "--to", f"hf:{repo}-open")
    told = ada.dlm("push", document, "--to", f"hf:{repo}-open", "--set", "private=yes", code=1)
    assert "is public" in told
    assert "Nothing was sent" in told
    assert "write yes or no" in ada.dlm("push", document, "--to", f"hf:{repo}", "--set", "private=maybe", code=2)


def test_a_full_pack_goes_to_a_private_repository_only(hub, person, repo) -> None:
    ada = person("ada")
    document = ada.trained()
    told = ada.dlm("push", document, "--to", f"hf:{repo}", "--profile", "full", code=1)
    assert "for everybody to read" in told
    assert not hub.log("POST", repo)
    ada.dlm("push", document, "--to", f"hf:{repo}", "--profile", "full", "--set", "private=yes")


def test_a_base_that_nobody_knows_a_repository_of_has_to_be_named(hub, person, repo) -> None:
    ada = person("ada")
    document = ada.trained(base="path:base")
    told = ada.dlm("push", document, "--to", f"hf:{repo}", code=2)
    assert "--set base=ORG/NAME@COMMIT" in told
    assert not hub.log("POST", repo)
    ada.dlm("push", document, "--to", f"hf:{repo}", "--set", f"base=org/other@{COMMIT}")
    assert json.loads(hub.files(repo)["adapter_config.json"])["base_model_name_or_path"] == "org/other"


def test_what_a_push_of_this_document_did_not_write_is_replaced_only_for_who_says_so(hub, person, repo) -> None:
    ada = person("ada")
    hub.make(repo, {"adapter_config.json": "{}", "notes.txt": "mine", "README.md": ""})
    document = ada.trained()
    assert "did not write" in ada.dlm("push", document, "--to", f"hf:{repo}", code=1)
    assert len(hub.log("POST", f"{repo}/commit/")) == 1
    ada.dlm("push", document, "--to", f"hf:{repo}", "--set", "replace=yes")
    assert hub.files(repo)["notes.txt"] == b"mine"
    ada.dlm("push", ada.trained("A later text."), "--to", f"hf:{repo}")
    document.write_text(document.read_text().replace("01HRSHWZ4BQ3F8K2Y5N7V9XTCD", "01HRSHWZ4BQ3F8K2Y5N7V9XTCE"))
    (ada.home / "store/01HRSHWZ4BQ3F8K2Y5N7V9XTCD").rename(ada.home / "store/01HRSHWZ4BQ3F8K2Y5N7V9XTCE")
    other = ada.home / "store/01HRSHWZ4BQ3F8K2Y5N7V9XTCE/manifest.json"
    other.write_text(other.read_text().replace("V9XTCD", "V9XTCE"))
    assert "holds another document (01HRSHWZ4BQ3F8K2Y5N7V9XTCD)" in ada.dlm(
        "push", document, "--to", f"hf:{repo}", code=1
    )


def test_ctrl_c_ends_a_push_at_once(hub, person, repo) -> None:
    ada = person("ada")
    document = ada.trained(megabytes=3)
    hub.misbehave("PUT", "/storage/upload/.*", cut=1_000_000, wait=30)
    before = len(hub.log("PUT"))
    process = ada.start("push", document, "--to", f"hf:{repo}")
    _until(lambda: len(hub.log("PUT")) > before)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=8)
    assert process.returncode == 130
    assert not list((ada.home / "pushing").iterdir())


def test_signatures_travel_beside_the_pack_and_go_with_it(hub, person, repo, tmp_path) -> None:
    ada = person("ada")
    document = ada.trained()
    ada.dlm("pack", document, "--out", ada.folder / "one.pack")
    (ada.folder / "one.pack.minisig").write_text("untrusted comment: of a test\n")
    ada.dlm("push", ada.folder / "one.pack", "--to", f"hf:{repo}")
    assert hub.files(repo)[f"{PACK}.minisig"] == b"untrusted comment: of a test\n"
    assert f"signed: `{PACK}.minisig`" in hub.files(repo)["README.md"].decode()
    ada.dlm("push", document, "--to", f"hf:{repo}")
    assert f"{PACK}.minisig" not in hub.files(repo), "the signature of another pack was left there"


def test_a_signed_pack_is_taken_and_one_whose_signature_was_changed_there_is_not(hub, person, repo) -> None:
    pytest.importorskip("dlm_sign")
    ada, bob = person("ada"), person("bob")
    ada.dlm("key", "new", "--no-password")
    ada.dlm("push", ada.trained(), "--to", f"hf:{repo}", "--sign")
    bob.dlm("pull", f"hf:{repo}", "--trust-on-first-use")
    said = bob.dlm("pull", f"hf:{repo}", "--force", "--policy", "enforce")
    assert "recorded for this document" in said
    signature = hub.files(repo)[f"{PACK}.sig"].decode()
    place = signature.index('"payload"') + 40
    other = "A" if signature[place] != "A" else "B"
    hub.write(repo, {f"{PACK}.sig": signature[:place] + other + signature[place + 1 :]})
    bob.dlm("pull", f"hf:{repo}", "--force", "--policy", "enforce", code=1)


def test_how_long_the_hub_makes_its_client_wait_is_told(hub, person, repo) -> None:
    ada = person("ada")
    hub.misbehave("POST", f"/api/models/{repo}/preupload/.*", status=429, headers={"Retry-After": "0"})
    assert "takes no more requests for now: waiting 1 s" in ada.dlm("push", ada.trained(), "--to", f"hf:{repo}")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["push", "pull"])
def test_killed_at_random_and_tried_again_it_arrives(hub, person, repo, what) -> None:
    ada, bob = person("ada"), person("bob")
    document, moments = ada.trained(megabytes=12), random.Random(f"7\nkill\n{what}")
    if what == "pull":
        ada.dlm("push", document, "--to", f"hf:{repo}")
    someone, words = (
        (ada, ("push", document, "--to", f"hf:{repo}")) if what == "push" else (bob, ("pull", f"hf:{repo}"))
    )
    for _ in range(12):
        process = someone.start(*words)
        time.sleep(moments.uniform(0.2, 1.4))
        _kill(process)
        if what == "push" and hub.log("POST", f"{repo}/commit/"):
            break
        if what == "pull" and (bob.home / "store").exists():
            break
    someone.dlm(*words, *(["--force"] if what == "pull" else []))
    if what == "push":
        bob.dlm("pull", f"hf:{repo}")
    assert (
        bob.store()["adapter/versions/v0001/adapter_model.safetensors"] == hub.files(repo)["adapter_model.safetensors"]
    )
    assert (bob.folder / "harbour.dlm").read_bytes() == document.read_bytes()


@pytest.mark.parametrize(
    ("who", "what", "env", "code", "told"),
    [
        ("bob", "pull hf:ada/nothing", {}, 1, "shows no repository ada/nothing: it is not there, or your token"),
        ("guest", "pull hf:ada/nothing", {}, 1, "or is private: log in with `hf auth login`"),
        ("bob", "pull hf:ada/plain@nowhere", {}, 1, "ada/plain has no branch, tag or commit 'nowhere'"),
        ("bob", "pull hf:ada/plain", {}, 1, "a PEFT adapter that did not come with `dlm push`: load it with PEFT"),
        ("bob", "pull hf:ada/base", {}, 1, "a model: name it in a document with `base_model: hf:ada/base`"),
        ("bob", "pull hf:ada/empty", {}, 1, "so there is nothing to pull: it has .gitattributes"),
        ("bob", "pull hf:ada/gated", {}, 1, "hf:ada/gated is gated: ask for access at"),
        ("bob", "pull hf:ada/empty", {"HF_TOKEN": "hf_old"}, 1, "does not know your token, or it has expired"),
        ("bob", "pull hf:ada/empty", {"HF_HUB_OFFLINE": "1"}, 2, "HF_HUB_OFFLINE is set, so the hub is not asked"),
        ("bob", "pull hf:ada/empty", {"HF_ENDPOINT": "http://hub.example"}, 2, "give an address with https"),
        ("bob", "pull hf:ada/empty", {"HF_ENDPOINT": "http://127.0.0.1:9"}, 3, "127.0.0.1:9 cannot be reached"),
        ("bob", "pull hf:nothing", {}, 2, "write hf:ORG/NAME"),
        ("guest", "push DOC --to hf:guest/x", {}, 2, "nobody is logged in to the hub"),
        ("reader", "push DOC --to hf:ada/x", {}, 1, "your token may not do this"),
        ("bob", "push DOC --to hf:ada/empty", {}, 1, "make one that may write to ada/empty"),
        ("ada", "push DOC --to hf:ada/plain", {}, 1, "has adapter_config.json, which `dlm push` did not write"),
        ("bob", "push DOC --to hf:bob/x --set colour=red", {}, 2, "it knows base, private, replace"),
    ],
)
def test_whoever_cannot_push_or_pull_is_told_why_and_what_to_do(hub, person, repos, who, what, env, code, told) -> None:
    someone = person(who)
    document = someone.trained() if "DOC" in what else ""
    words = [str(document) if word == "DOC" else word for word in what.split()]
    said = someone.dlm(*words, code=code, **env)
    assert told in " ".join(said.split())
    assert "hf_" not in said
    assert "pull" not in what or not (someone.home / "store").exists()


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (429, {"RateLimit": '"api";r=0;t=77'}, "takes no more requests for now: run it again in 77 seconds"),
        (429, {"Retry-After": "9"}, "run it again in 9 seconds"),
        (500, {}, "answers 500: run it again later"),
        (451, {}, "refuses with 451"),
    ],
)
def test_a_hub_that_will_not_answer_is_quoted(hub, person, repos, status, headers, told) -> None:
    hub.misbehave("GET", "/api/models/ada/empty/revision/main", status=status, headers=headers, times=9)
    said = person("bob").dlm("pull", "hf:ada/empty", code=1 if status == 451 else 3)
    assert told in " ".join(said.split())


@pytest.mark.parametrize("status", [403, 500, 451])
def test_a_hub_that_repeats_the_token_does_not_make_us_print_it(hub, person, repos, status) -> None:
    bob = person("bob")
    said = {"X-Error-Message": f"\x1b]0;x\x07 {bob.env['HF_TOKEN']} may not"}
    hub.misbehave("GET", "/api/models/ada/empty/revision/main", status=status, headers=said, times=9)
    told = bob.dlm("pull", "hf:ada/empty", code=3 if status == 500 else 1)
    assert "(token) may not" in " ".join(told.split())
    assert bob.env["HF_TOKEN"] not in told
    assert not {"\x1b", "\x07"} & set(told)


def test_somebody_else_at_that_address_is_no_hub(hub, person, repos) -> None:
    for body in ("<html>log in to the hotel's network</html>", {"sha": 7}):
        hub.ask("/_well", {})
        hub.misbehave("GET", "/api/models/ada/empty/revision/main", status=200, body=body, times=9)
        assert "hub" in person("bob").dlm("pull", "hf:ada/empty", code=1)


def test_uploads_take_the_way_of_git_lfs_also_where_xet_is_installed(hub, person, repo) -> None:
    assert importlib.util.find_spec("hf_xet") is not None
    ada = person("ada")
    ada.dlm("push", ada.trained(), "--to", f"hf:{repo}")
    assert hub.log("POST", f"{repo}.git/info/lfs/objects/batch")
    assert not hub.log("GET", f"{repo}/xet-write-token")


@pytest.fixture(scope="session")
def repos(server) -> None:
    hub = server
    hub.make("ada/plain", {"adapter_config.json": "{}", "README.md": "# Mine"})
    hub.make("ada/base", {"config.json": "{}"})
    hub.make("ada/empty", {"note.txt": "nothing yet"})
    hub.make("ada/gated", {PACK: "closed"})
    hub.ask("/_gate/ada/gated", {})


def _kill(process) -> None:
    process.kill()
    process.communicate(timeout=10)


def _until(seen) -> None:
    for _ in range(200):
        if seen():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in 10 seconds")
