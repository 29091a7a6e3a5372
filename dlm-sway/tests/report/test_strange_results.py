"""Files that somebody or something has damaged: each is refused with the place, or shown in every format."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_sway.errors import TargetError
from dlm_sway.report import document, junit, markdown, sarif, terminal
from dlm_sway.report import json as as_json

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"
LEARNED = json.loads((GOLDEN / "learned.json").read_text())
WRITERS = (as_json, junit, markdown, sarif, terminal)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the data, outermost first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


PLACES = [place for place in places(LEARNED) if place and "evidence" not in place[:-1]]


@given(st.lists(st.tuples(st.sampled_from(PLACES), ANY), min_size=1, max_size=3))
def test_any_value_in_any_place_is_refused_with_the_file_or_shown_in_every_format(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    data = copy.deepcopy(LEARNED)
    for place, value in changes:
        at = data
        try:
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    try:
        found = document.completed(data, "r.json")
    except TargetError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert all(writer.render(found) for writer in WRITERS)
    assert refusal == "" or refusal.startswith("r.json: ")


@given(st.integers(min_value=0, max_value=len(json.dumps(LEARNED)) - 1))
def test_half_a_file_is_no_result(cut: int) -> None:
    path = Path("r.json")
    text = json.dumps(LEARNED)[:cut]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_text", lambda self, encoding: text)
        with pytest.raises(TargetError, match=r"^r\.json: not JSON"):
            document.read(path)


def test_a_file_nested_without_end_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("[" * 100_000)
    with pytest.raises(TargetError, match="not JSON"):
        document.read(path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("wall_seconds", "long", "wall_seconds is 'long', not a number"),
        ("summary", "one", "summary is 'one', not a list of texts"),
        ("score", {"components": {"a": "b"}}, r"score\.components is .*, not a mapping to numbers or null"),
        ("probes", [{**LEARNED["probes"][0], "raw": True}], r"probes\[0\]\.raw is True, not a number or null"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(key: str, value: Any, said: str) -> None:
    with pytest.raises(TargetError, match=f"r.json: {said}: write results with `sway run SPEC --json FILE`"):
        document.completed({**LEARNED, key: value}, "r.json")


def test_what_0_1_wrote_where_a_number_was_missing_is_read_as_null(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(
        '{"probes": [{"name": "a", "kind": "b", "verdict": "fail", "raw": NaN, "z_score": -Infinity, "mde": 1%s}]}'
        % ("0" * 400)
    )
    (probe,) = document.read(path)["probes"]
    assert (probe["raw"], probe["z_score"], probe["mde"]) == (None, None, None)


def test_unknown_probes_keys_and_verdicts_are_kept_and_shown() -> None:
    row = {"name": "a", "kind": "acme/new", "verdict": "perhaps", "message": "m", "mood": {"good": True}}
    data = document.completed({"probes": [row], "weather": "fine"}, "r.json")
    kept = json.loads(as_json.render(data))
    assert (kept["weather"], kept["probes"][0]["mood"]) == ("fine", {"good": True})
    assert all("acme/new" in writer.render(data) for writer in WRITERS)
    assert "PERHAPS a (acme/new)" in terminal.render(data)
