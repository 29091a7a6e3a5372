"""What a run takes from an earlier one, and what it must never take."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlm_sway.cli.main import main
from dlm_sway.scoring.cache import CacheFile, Unusable, facts, null_file, score_file
from dlm_sway.scoring.remembering import Identity, Remembered
from dlm_sway.scoring.session import Session, asking
from dlm_sway.scoring.types import BASE, FT, Item, View
from dlm_sway.testing import ClosedForm

ITEMS = (Item("a?", "one two"), Item("b?", before=(("user", "hello"), ("assistant", "yes"))))
NULL = View("null", seed=1)


class Known(ClosedForm):
    """A closed form that says what decides its numbers, and remembers what it was asked."""

    def __init__(self, base="base 1", adapter="adapter 1", seed=0, **keys):
        super().__init__(direction="random", size=10.0, seed=seed, **keys)
        self.names = (base, adapter)
        self.asked = []

    def identity(self, digest):
        return Identity({"base": self.names[0]}, {"adapter": self.names[1]})

    def adapter_identity(self, folder, digest):
        return digest(folder / "weights") if (folder / "weights").exists() else None

    def compare(self, items, view, *, layout=0, per_position=False):
        self.asked.append(("compare", view.label, layout, per_position))
        return super().compare(items, View("ft") if view.adapter else view, layout=layout, per_position=per_position)

    def texts(self, texts, view):
        self.asked.append(("texts", view.label))
        return super().texts(texts, view)

    def generate(self, prompts, view, *, max_new_tokens):
        self.asked.append(("generate", view.label))
        return super().generate(prompts, view, max_new_tokens=max_new_tokens)

    def count_tokens(self, texts):
        self.asked.append(("count",))
        return super().count_tokens(texts)

    def inspect(self):
        self.asked.append(("inspect",))
        return super().inspect()

    def describe(self):
        self.asked.append(("describe",))
        return super().describe()


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A cache of its own for each test."""
    monkeypatch.setenv("SWAY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def everything(session):
    """One answer of every kind."""
    return [
        session.compare(ITEMS, FT),
        session.compare(ITEMS, NULL),
        session.compare(ITEMS, FT, per_position=True),
        session.noise(ITEMS),
        session.texts(["one two three", "four five"], View("scaled", scale=0.5)),
        session.generate(["a?", ITEMS[1]], FT, max_new_tokens=5),
        session.count_tokens(["one two", "three"]),
        session.inspect(),
        session.inspect_null(1),
        session.describe(),
    ]


def asked_by(backend, ask=everything):
    with asking(backend, cache=True, trace=None) as session:
        found = ask(session)
    return found, backend.asked


def test_a_second_run_asks_nothing_and_finds_the_same():
    first, asked = asked_by(Known())
    assert len(asked) == 10
    backend = Known()
    with asking(backend, cache=True, trace=None) as session:
        assert everything(session) == first
    assert backend.asked == []
    counts = session.counts.as_dict()
    assert (counts["cache_misses"], counts["forward_passes"], counts["hit_rate"]) == (0, 0, 1.0)
    assert counts["disk_hits"] == counts["cache_hits"]


def test_another_adapter_asks_anew_but_for_what_the_base_alone_decides():
    asked_by(Known())
    _, asked = asked_by(Known(adapter="adapter 2", seed=5))
    assert ("texts", "base") not in asked
    assert ("count",) not in asked
    assert {("texts", "scaled_0.50"), ("generate", "ft"), ("inspect",), ("describe",)} <= set(asked)
    _, asked = asked_by(Known(base="base 2"))
    assert ("texts", "base") in asked


@pytest.mark.parametrize(
    "view",
    [
        FT,
        BASE,
        View("scaled", scale=0.5),
        View("scaled", scale=0.5004),
        View("null", seed=2),
        View("null", seed=1, rank=2.0),
    ],
)
def test_views_that_share_a_label_share_no_answer(view):
    asked_by(Known(), lambda session: session.compare(ITEMS, View("scaled", scale=0.501)))
    asked_by(Known(), lambda session: session.compare(ITEMS, View("shuffled", seed=1)))
    asked_by(Known(), lambda session: session.compare(ITEMS, NULL))
    _, asked = asked_by(Known(), lambda session: session.compare(ITEMS, view))
    assert asked == [("compare", view.label, 0, False)]


def test_what_stands_around_a_question_is_part_of_it_and_its_group_is_not():
    asked_by(Known(), lambda session: session.compare([Item("a?", "b")], FT))
    _, asked = asked_by(Known(), lambda session: session.compare([Item("a?", "b", group="g")], FT))
    assert asked == []
    for other in (Item("a?", "b", system="s"), Item("a?", "b", plain=True), Item("a?", "b", before=(("user", "x"),))):
        _, asked = asked_by(Known(), lambda session, other=other: session.compare([other], FT))
        assert len(asked) == 1
    _, asked = asked_by(Known(), lambda session: session.generate(["a?"], FT, max_new_tokens=3))
    _, asked = asked_by(Known(), lambda session: session.generate(["a?"], FT, max_new_tokens=4))
    assert asked == [("generate", "ft")]


def test_another_adapter_is_known_by_its_content_and_not_by_its_path(tmp_path):
    for name, content in (("one", b"1"), ("two", b"2"), ("copy", b"1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_bytes(content)
    counts = []
    for name in ("one", "two", "copy"):
        view = View("placebo", adapter=str(tmp_path / name))
        counts.append(len(asked_by(Known(), lambda session, view=view: session.compare(ITEMS, view))[1]))
    (tmp_path / "one" / "weights").write_bytes(b"another")
    view = View("placebo", adapter=str(tmp_path / "one"))
    counts.append(len(asked_by(Known(), lambda session: session.compare(ITEMS, view))[1]))
    assert counts == [1, 1, 0, 1]


def test_answers_are_never_taken_when_nothing_is_known_about_what_decides_them(tmp_path):
    class Unknown(Known):
        def identity(self, digest):
            return None

    for _ in range(2):
        assert len(asked_by(Unknown())[1]) == 10
    assert not (tmp_path / "cache").exists()
    view = View("placebo", adapter=str(tmp_path / "nowhere"))
    for _ in range(2):
        assert len(asked_by(Known(), lambda session: session.compare(ITEMS, view))[1]) == 1


def test_without_the_cache_nothing_is_taken_and_nothing_kept(tmp_path):
    with asking(Known(), cache=False, trace=None) as session:
        everything(session)
    assert not (tmp_path / "cache").exists()


def test_nulls_can_lie_elsewhere_travel_and_be_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SWAY_NULL_CACHE_DIR", str(tmp_path / "nulls"))
    compare = lambda session: session.compare(ITEMS, NULL)  # noqa: E731
    asked_by(Known(), compare)
    assert null_file().parent == tmp_path / "nulls"
    carried = null_file().rename(tmp_path / "carried")
    monkeypatch.setenv("SWAY_NULL_CACHE_DIR", str(tmp_path / "another machine"))
    null_file().parent.mkdir()
    carried.rename(null_file())
    assert asked_by(Known(), compare)[1] == []
    monkeypatch.setenv("SWAY_DISABLE_NULL_CACHE", "1")
    assert len(asked_by(Known(), compare)[1]) == 1


def test_a_value_that_was_changed_is_not_given_out(tmp_path):
    first, _ = asked_by(Known())
    with sqlite3.connect(score_file()) as database:
        database.execute("UPDATE answer SET value = replace(value, '0.', '1.')")
    database.close()
    again, asked = asked_by(Known())
    assert again == first
    assert asked


@pytest.mark.parametrize("content", [b"not a database at all" * 99, None])
def test_a_file_that_is_not_ours_is_left_alone_and_the_run_goes_on(content):
    score_file().parent.mkdir(parents=True)
    if content is None:
        with sqlite3.connect(score_file()) as database:
            database.execute("CREATE TABLE theirs (x)")
        database.close()
        content = score_file().read_bytes()
    else:
        score_file().write_bytes(content)
    said = []
    remembered = Remembered(Known(), said.append)
    session = Session(backend := Known(), remembered)
    assert session.compare(ITEMS, FT) == ClosedForm(direction="random", size=10.0).compare(ITEMS, FT)
    remembered.close()
    assert len(backend.asked) == 1
    assert len(said) == 1
    assert str(score_file()) in said[0]
    assert score_file().read_bytes() == content


def test_numbers_that_are_not_finite_are_not_kept():
    class Broken(Known):
        def compare(self, items, view, *, layout=0, per_position=False):
            return [one._replace(kl=float("nan")) for one in super().compare(items, view, layout=layout)]

    for _ in range(2):
        _, asked = asked_by(Broken(), lambda session: session.compare(ITEMS, FT))
        assert len(asked) == 1


def test_a_digest_follows_the_file(tmp_path):
    file, path = CacheFile(tmp_path / "x.sqlite3"), tmp_path / "weights"
    for content, then in ((b"one", 10**18), (b"two", 2 * 10**18)):
        path.write_bytes(content)
        os.utime(path, ns=(then, then))
        assert [file.digest(path) for _ in range(2)] == [sha256(content).hexdigest()] * 2
    path.write_bytes(b"now")
    assert file.digest(path) == sha256(b"now").hexdigest()
    path.write_bytes(b"cow")
    assert file.digest(path) == sha256(b"cow").hexdigest()
    file.close()


def test_two_processes_may_write_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from dlm_sway.scoring.cache import CacheFile\n"
        "file = CacheFile(Path(sys.argv[1]))\n"
        "for n in range(200): file.put({f'{sys.argv[2]}{n}'.encode(): 'x'})\n"
        "file.close()"
    )
    path = tmp_path / "shared.sqlite3"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    assert [one.wait() for one in running] == [0, 0]
    told = facts(path)
    assert told is not None
    assert told.entries == 400


def test_a_newer_format_is_refused(tmp_path):
    CacheFile(tmp_path / "x").close()
    with sqlite3.connect(tmp_path / "x") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Unusable, match="not a cache of this version"):
        CacheFile(tmp_path / "x")


def test_the_command_shows_and_empties(tmp_path):
    def run(*arguments):
        done = CliRunner().invoke(main, ["cache", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert run("info").count("empty") == 2
    asked_by(Known())
    rows = {row["kind"]: row for row in json.loads(run("info", "--json"))}
    assert rows["scores"]["entries"] > 5
    assert rows["nulls"]["entries"] == 3
    assert "MB freed" in run("clear", "--nulls")
    assert not Path(null_file()).exists()
    assert score_file().exists()
    run("clear")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_trace_says_what_was_asked_by_whom_and_what_it_took(tmp_path):
    path = tmp_path / "trace.jsonl"
    for _ in range(2):
        with asking(Known(), cache=True, trace=path) as session:
            session.probe = "moved"
            session.compare(ITEMS, FT)
            session.probe = None
            session.texts(["one two"], NULL)
            session.generate(["a?"], FT, max_new_tokens=2)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["op"] for event in events[:5]] == [
        "logprob_of",
        "next_token_dist",
        "rolling_logprob",
        "rolling_logprob",
        "generate",
    ]
    assert [event["view_id"] for event in events[:5]] == ["ft", "ft", "base", "null_1", "ft"]
    assert [event["probe"] for event in events[:3]] == ["moved", "moved", None]
    assert [event["hit"] for event in events] == [False] * 5 + [True] * 5
    assert len({event["run"] for event in events}) == 2
    assert events[0].keys() == {"ts", "run", "probe", "view_id", "prompt_hash", "top_k", "op", "wall_ms", "hit"}
    assert len(events[0]["prompt_hash"]) == 12
    assert all(event["wall_ms"] == 0 for event in events if event["hit"])
