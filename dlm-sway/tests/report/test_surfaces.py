"""What people and CI read, made from saved results."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from dlm_sway.errors import SwayError
from dlm_sway.report import document, junit, markdown, sarif, terminal
from dlm_sway.report import format as fmt
from dlm_sway.report.write import write

GOLDEN = Path(__file__).parents[3] / "contracts" / "golden" / "report"


def load(name: str) -> dict[str, Any]:
    return document.read(GOLDEN / f"{name}.json")


@pytest.mark.parametrize("name", ["learned", "prior"])
def test_the_terminal_report_fits_80_columns_and_is_plain_ascii(name: str) -> None:
    data = load(name)
    text = terminal.render(data)
    assert max(map(len, text.splitlines())) <= 80
    assert text.replace("σ", "").isascii()
    assert all(probe["name"] in text for probe in data["probes"])


def test_the_terminal_report_says_the_conclusion_with_its_numbers_first() -> None:
    lines = terminal.render(load("learned")).splitlines()
    at = lines.index("LEARNED")
    assert at < 6
    told = " ".join(line.strip() for line in lines[at:])
    assert "learned: answers it never saw worded this way became 2.1x more likely per token (+0.76 nats" in told
    assert "smallest possible p 0.025" in told


def test_every_number_of_a_test_stands_beside_its_verdict() -> None:
    data = load("learned")
    told = " ".join(terminal.render(data).split())
    assert "PASS learned (answer_gain) 0.757, [0.685, 0.829], n=12, p=0.025 (adjusted 0.05), mde 0.086, 39" in told
    assert "alpha 0.05: 2 tests, p adjusted by Holm" in told
    assert "**Tests:** alpha 0.05: 2 tests, p adjusted by Holm" in markdown.render(data)
    assert "| 12 | " in markdown.render(data)


def test_long_words_and_messages_are_wrapped_between_words_only() -> None:
    data = load("prior")
    path = "x" * 100
    data["probes"][0]["message"] = f"before {path} after\nand\x1b[31m red"
    text = terminal.render(data)
    assert path in text.split()
    assert "\x1b" not in text
    words = {word for line in text.splitlines() for word in line.split()}
    assert {"before", "after", "and"} <= words


def test_a_pipe_gets_no_colour_and_a_terminal_does() -> None:
    plain, colour = io.StringIO(), io.StringIO()
    terminal.show(load("learned"), Console(file=plain, width=80))
    terminal.show(load("learned"), Console(file=colour, width=80, force_terminal=True, color_system="standard"))
    assert plain.getvalue() == terminal.render(load("learned"))
    assert "\x1b[1;32mLEARNED" in colour.getvalue()


def test_markdown_has_its_tables_and_escapes_what_a_probe_wrote() -> None:
    text = markdown.render(load("prior"))
    assert text.startswith("# sway report\n")
    assert "**Overall:** 0.99 (`suspicious`)  \n" in text
    assert "**Adapter:** `models/support/adapter`  \n" in text
    assert "| category | score | weight | |" in text
    assert "| house | 0.50 | 0.00 | (informational, weight=0) |" in text
    row = "| moved | `delta_kl` | pass | 0.99 | 0.128 | [0.090, 0.170] | — | +58.50σ | — | — | — | 1.42s |"
    assert row in text
    assert "| 1,234.500 | — | — | — | — | — | — | 0.00s | a \\| b &lt;script> |" in text
    assert "## Top findings\n\n- topics failed\n" in text
    assert "## Skipped probes\n\n- leak: no sections in context\n" in text
    assert "## Degenerate" not in text


def test_junit_counts_what_failed_and_what_has_no_answer() -> None:
    data = load("learned")
    for probe, verdict in zip(data["probes"], ["pass", "fail", "error", "inconclusive", "skip"], strict=True):
        probe["verdict"] = verdict
    data["probes"][1]["message"] = 'broke \x00 <b> & "quotes"'
    text = junit.render(data)
    assert not text.startswith("<?xml")
    suite = ElementTree.fromstring(text)
    counts = {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped", "time")}
    assert counts == {"name": "sway", "tests": "5", "failures": "1", "errors": "2", "skipped": "1", "time": "0.090"}
    cases = suite.findall("testcase")
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["error"], ["error"], ["skipped"]]
    assert cases[1][0].get("message") == 'broke � <b> & "quotes"'
    assert cases[3][0].get("type") == "inconclusive"
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert (properties["overall"], properties["component.adherence"]) == ("1.0000", "1.0000")
    assert (properties["component.ablation"], properties["conclusion"]) == ("", "learned")


def test_numbers_read_the_same_everywhere() -> None:
    assert [fmt.raw(v) for v in (1234.5678, 0.0, 1e-9, -0.2, None, float("nan"))] == [
        "1,234.568",
        "0.000",
        "1.0e-09",
        "-0.200",
        "—",
        "—",
    ]
    assert [fmt.duration(v) for v in (0.123, 12.34, 1234.5)] == ["0.12s", "12.3s", "1,234s"]
    assert (fmt.z(5.123), fmt.ci([0.4, None]), fmt.ci([0.4, 0.5])) == ("+5.12σ", "—", "[0.400, 0.500]")
    assert fmt.label("/home/a/b/c d/e") == '"b/c d/e"'
    assert fmt.label("HuggingFaceTB/SmolLM2-135M-Instruct") == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert fmt.ordered({"zoo", "baseline", "adherence"}) == ["adherence", "baseline", "zoo"]


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "r.json"
    write(path, "first")
    assert path.read_text() == "first"

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SwayError, match="No space left on device"):
        write(path, "second")
    assert path.read_text() == "first"
    assert [entry.name for entry in path.parent.iterdir()] == ["r.json"]


def test_the_golden_results_are_strict_json() -> None:
    golden = sorted(GOLDEN.glob("*.json"))
    assert golden
    for path in golden:
        json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(word))


VERDICTS = ["pass", "fail", "error", "inconclusive", "skip"]


def every_verdict() -> dict[str, Any]:
    data = load("learned")
    for probe, verdict in zip(data["probes"], VERDICTS, strict=True):
        probe["verdict"] = verdict
    return data


def test_junit_follows_the_schema_of_ant() -> None:
    data = every_verdict()
    data["probes"][0]["name"] = " two\n  lines "
    suite = ElementTree.fromstring(junit.render(data))
    assert suite.tag == "testsuite"
    required = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time"}
    assert required <= set(suite.attrib) <= required | {"skipped"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    tags = [child.tag for child in suite]
    assert tags == ["properties", *["testcase"] * 5, "system-out", "system-err"]
    assert all(set(one.attrib) == {"name", "value"} and one.attrib["name"] for one in suite[0])
    for case in suite.findall("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert len(case) <= 1
        # A token: no break, and no space at either end.
        assert case.attrib["name"] == " ".join(case.attrib["name"].split())
        assert all(set(child.attrib) == {"message", "type"} for child in case)


def test_a_junit_report_of_a_result_without_times_has_some() -> None:
    suite = ElementTree.fromstring(junit.render(load("prior")))
    assert suite.get("timestamp") == "1970-01-01T00:00:00"
    data = load("prior") | {"started_at": "yesterday"}
    assert ElementTree.fromstring(junit.render(data)).get("timestamp") == "1970-01-01T00:00:00"


def test_sarif_has_an_alert_for_what_needs_looking_at_and_the_verdicts_of_all() -> None:
    data = every_verdict()
    log = json.loads(sarif.render(data))
    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted({probe["kind"] for probe in data["probes"]})
    assert [(one["properties"]["verdict"], one["level"]) for one in run["results"]] == [
        ("fail", "error"),
        ("error", "error"),
        ("inconclusive", "warning"),
        ("skip", "note"),
    ]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["message"]["text"]
    assert run["properties"]["verdicts"] == {probe["name"]: probe["verdict"] for probe in data["probes"]}
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]


def test_a_sarif_alert_stays_the_same_one_while_its_numbers_change() -> None:
    one, two = every_verdict(), every_verdict()
    two["probes"][1] |= {"raw": 9.0, "message": "another", "duration_s": 5.0}
    first, second = (
        [alert["partialFingerprints"] for alert in json.loads(sarif.render(data))["runs"][0]["results"]]
        for data in (one, two)
    )
    assert first == second
    assert len({json.dumps(alert) for alert in first}) == 4


def test_sarif_points_at_the_suite_file_and_an_entry_that_was_switched_off_is_no_alert() -> None:
    data = load("prior") | {"spec_path": "suites/my suite.yaml"}
    data["probes"][2]["evidence"] = {"skip_reason": "disabled"}
    (alert,) = json.loads(sarif.render(data))["runs"][0]["results"]
    place = alert["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "suites/my%20suite.yaml"
    assert place["logicalLocations"] == [{"name": "topics", "kind": "member"}]


def test_no_color_is_followed_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = io.StringIO()
    terminal.show(load("learned"), Console(file=shown, width=80, force_terminal=True, color_system="standard"))
    assert not re.search(r"\x1b\[[\d;]*3\d", shown.getvalue())
