"""The tokenised cache: never a wrong token, never a failed run, nothing left of what is forgotten."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.corpus.records import Message, Record
from dlm.document.frontmatter import Cache
from dlm.errors import StoreError
from dlm.store import token_file
from dlm.store.layout import Layout
from dlm.store.token_file import Window, pack, unpack
from dlm.store.tokens import TokenCache, clear, digest, opened, overview, prune, record_key, retain, unused_because

SCOPE = digest(tokenizer="t", sequence_len=64)


def record(words: str, section: str = "a" * 16, **more) -> Record:
    return Record("prose", "text", "g", section, text=words, **more)


class Tokeniser:
    """One id a character; counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, records: Sequence[Record]) -> list[tuple[Window, ...]]:
        self.asked += [one.text for one in records]
        return [ids(one) for one in records]


def ids(one: Record) -> tuple[Window, ...]:
    return (Window(1, tuple(map(ord, one.text))), Window(2, tuple(map(ord, one.text[::-1]))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Layout(tmp_path / "store").tokens


@pytest.fixture
def run(path):
    """``run(*records)`` is one training: its cache and what had to be tokenised."""
    count = 0

    def go(*records: Record, max_bytes: int = 10**9, days: int = 90, scope: str = SCOPE):
        nonlocal count
        count += 1
        cache, tokenise = TokenCache(path, max_bytes, days), Tokeniser()
        assert cache.windows(records, scope, tokenise) == [ids(one) for one in records]
        cache.finish(count)
        return cache, tokenise.asked

    return go


def test_what_was_tokenised_once_is_not_tokenised_again(run) -> None:
    first, asked = run(record("one"), record("two"))
    assert asked == ["one", "two"]
    again, asked = run(record("two"), record("three"), record("one"))
    assert asked == ["three"]
    assert (again.stats.hits, again.stats.misses) == (2, 1)
    assert again.stats.bytes > first.stats.bytes > 0


def test_within_a_run_the_second_call_knows_the_first(path) -> None:
    cache, tokenise = TokenCache(path, 10**9, 90), Tokeniser()
    cache.windows([record("one")], SCOPE, tokenise)
    cache.windows([record("one"), record("two"), record("two")], SCOPE, tokenise)
    assert tokenise.asked.count("one") == 1
    assert (cache.stats.hits, cache.stats.misses) == (1, 3)


def test_nothing_is_written_before_the_run_says_so(path) -> None:
    TokenCache(path, 10**9, 90).windows([record("one")], SCOPE, Tokeniser())
    assert overview(path) == token_file.Overview()
    assert not path.parent.exists()


def test_records_of_one_section_are_told_apart_and_records_of_the_same_words_are_not() -> None:
    def chat(question: str, answer: str, kind: str = "qa", section: str = "s") -> Record:
        return Record(kind, "answer", "g", section, (Message("user", question), Message("assistant", answer)))

    keys = [record_key(chat(question, answer), SCOPE) for question in "ab" for answer in "cd"]
    assert len(set(keys)) == 4
    assert record_key(chat("a", "c", "anchor", "other"), SCOPE) == keys[0]
    assert record_key(record("x", title="t"), SCOPE) != record_key(record("x"), SCOPE)
    assert record_key(record("x"), SCOPE) != record_key(record("x"), digest(tokenizer="t", sequence_len=65))


WINDOWS = st.lists(
    st.builds(Window, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1)).map(tuple)), max_size=4
)


@given(st.binary(max_size=40), WINDOWS, st.data())
def test_packed_windows_come_back_and_damaged_ones_do_not(key, windows, data) -> None:
    packed = pack(key, windows)
    assert unpack(key, packed) == tuple(windows)
    assert unpack(key + b"x", packed) is None
    at = data.draw(st.integers(0, len(packed) - 1))
    assert unpack(key, packed[:at]) is None
    assert unpack(key, packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]) is None


def test_a_wrong_entry_is_a_miss_and_is_put_right(run, path) -> None:
    run(record("one"), record("two"))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE entries SET value = x'00' WHERE id = 1")
    database.close()
    assert len(run(record("one"), record("two"))[1]) == 1
    assert run(record("one"), record("two"))[1] == []


@pytest.mark.parametrize("content", [b"no database at all" * 400, b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_and_begun_anew(run, path, content) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    cache, asked = run(record("one"))
    assert asked == ["one"]
    assert run(record("one"))[1] == []
    if content:
        assert "damaged" in cache.notes[0]
        assert path.with_name("tokens.sqlite.damaged").read_bytes() == content


def test_damage_in_the_middle_of_a_file_never_gives_wrong_tokens(run, path) -> None:
    texts = [record(f"record number {number} " * 20) for number in range(200)]
    run(*texts)
    whole = path.read_bytes()
    for at in range(4096, len(whole) - 4096, len(whole) // 12):
        path.write_bytes(whole[:at] + b"\xa5" * 4096 + whole[at + 4096 :])
        run(*texts)  # asserts the tokens itself
        run(*texts)


def test_a_file_of_another_format_is_begun_anew(run, path) -> None:
    run(record("one"))
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    cache, asked = run(record("one"))
    assert asked == ["one"]
    assert "format 99" in cache.notes[0]
    assert overview(path).entry_count == 1


def test_a_file_in_use_by_another_process_is_done_without(run, path, monkeypatch) -> None:
    monkeypatch.setattr("dlm.store.tokens.IMPATIENT", 0.01)
    monkeypatch.setattr("dlm.store.token_file.PATIENT", 0.01)
    run(record("one"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache, asked = run(record("one"))
    assert asked == ["one"]
    assert "in use by another process" in cache.notes[0]
    with pytest.raises(StoreError, match="dlm cache clear"):
        retain(path, ["a" * 16], 1, let_go=False)
    other.close()
    assert run(record("one"))[1] == []


def test_several_runs_at_once_share_a_file_without_harm(path) -> None:
    def work(worker: int) -> None:
        for turn in range(6):
            cache = TokenCache(path, 10**9, 90)
            records = [record(f"{(worker + number) % 9} of {turn}") for number in range(40)]
            assert cache.windows(records, SCOPE, Tokeniser()) == [ids(one) for one in records]
            cache.finish(worker)
            assert [note for note in cache.notes if "in use by another process" not in note] == []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert overview(path).problem is None
    assert overview(path).entry_count > 0


def test_a_folder_that_may_not_be_written_does_not_fail_the_run(tmp_path) -> None:
    (tmp_path / "tokenized-cache").write_text("in the way")
    cache = TokenCache(tmp_path / "tokenized-cache" / "tokens.sqlite", 10**9, 90)
    cache.windows([record("one")], SCOPE, Tokeniser())
    cache.finish(1)
    assert "cannot be used" in cache.notes[0]


def test_what_was_unused_longest_goes_first_and_nothing_of_this_run(run, path) -> None:
    old, middle, new = (record(letter * 400) for letter in "omn")
    run(old)
    one = overview(path).bytes
    run(middle)
    run(new)
    run(old)
    assert run(record("x" * 400), max_bytes=3 * one)[0].stats.bytes == 3 * one
    assert run(old, new, record("x" * 400))[1] == []
    assert run(middle)[1] == ["m" * 400]
    everything = [record(str(number) * 400) for number in range(5)]
    run(*everything, max_bytes=one)
    assert overview(path).entry_count == 5
    assert run(*everything)[1] == []


def test_what_no_run_used_for_days_goes(run, path) -> None:
    run(record("one"))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE entries SET used_at = used_at - 91 * 86400")
    database.close()
    run(record("two"))
    assert overview(path).entry_count == 1
    assert prune(path, time.time() - 1000).entries == 0
    assert prune(path, time.time() + 1).entries == 1
    assert overview(path).bytes == 0


def test_nothing_is_left_on_the_disk_of_sections_that_are_gone(run, path) -> None:
    secret, shared, plain = (record(letter * 900, letter * 16) for letter in "sab")
    run(secret, shared, plain)
    run(record(shared.text, "c" * 16), plain)
    packed = pack(record_key(secret, SCOPE), ids(secret))
    assert packed[8:200] in path.read_bytes()
    # Of two sections with the same words one is still there.
    assert retain(path, ["b" * 16, "c" * 16], 2, let_go=False).entries == 1
    assert packed[8:200] not in path.read_bytes()
    assert run(shared, plain)[1] == []
    path.with_name("tokens.sqlite.damaged").write_bytes(b"old")
    assert retain(path, ["a" * 16, "b" * 16, "c" * 16], 3, let_go=False).entries == 0
    assert sorted(file.name for file in path.parent.iterdir()) == ["tokens.sqlite"]


def test_after_something_went_only_what_the_run_used_stays(run, path) -> None:
    titled, plain = record("text", title="Old title"), record("text", title="New title")
    run(titled)
    run(plain)
    assert retain(path, ["a" * 16], 2, let_go=False).entries == 0
    assert retain(path, ["a" * 16], 2, let_go=True).entries == 1
    assert run(plain)[1] == []
    assert retain(path, ["a" * 16], 4, let_go=True).entries == 1, "run 4 went without the cache"


def test_clearing_removes_everything_also_from_a_damaged_file(run, path) -> None:
    assert clear(path).entries == 0
    assert not path.parent.exists()
    run(record("one" * 400), record("two"))
    assert clear(path).entries == 2
    assert overview(path)[:2] == (0, 0)
    path.write_bytes(b"no database at all" * 400)
    clear(path)
    assert list(path.parent.iterdir()) == []


def test_the_overview_tells_the_last_run_and_creates_nothing(run, path) -> None:
    run(record("one"))
    run(record("one"), record("two"), record("three"), record("four"))
    told = overview(path)
    assert (told.entry_count, told.last_run_id, told.last_run_hit_rate, told.problem) == (4, 2, 0.25, None)
    assert [file.name for file in path.parent.iterdir()] == ["tokens.sqlite"]
    path.write_bytes(b"no database at all" * 400)
    assert "dlm cache clear" in overview(path).problem


def test_the_document_the_environment_or_the_caller_may_do_without(tmp_path, monkeypatch) -> None:
    layout = Layout(tmp_path)
    with opened(layout, Cache()) as cache:
        assert isinstance(cache, TokenCache)
    with opened(layout, Cache(), wanted=False) as cache:
        assert cache is None
    with opened(layout, Cache(enabled=False)) as cache:
        assert cache is None
    assert unused_because(Cache(enabled=False)) == "training.cache.enabled is false"
    monkeypatch.setenv("DLM_DISABLE_TOKENIZED_CACHE", "1")
    with opened(layout, Cache()) as cache:
        assert cache is None
    assert "DLM_DISABLE_TOKENIZED_CACHE" in unused_because(Cache())
