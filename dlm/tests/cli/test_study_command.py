"""``dlm study`` shows what training would learn from, the files of sources among it."""

from __future__ import annotations

import json

from click.testing import CliRunner

from dlm.cli.main import main


def test_the_files_of_sources_are_among_what_is_shown(write, home, plugins, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "heron.md").write_text("# Heron\n\nHeron is a pump.\n", "utf-8")
    path = write("training: {sources: [{path: notes}]}")
    result = CliRunner().invoke(main, ["study", str(path), "--json"])
    assert result.exit_code == 0, result.output
    prose = next(kind for kind in json.loads(result.stdout)["kinds"] if kind["kind"] == "prose")
    assert "Heron is a pump." in [record["text"] for record in prose["records"]]
    assert not home.exists()


def test_what_trains_one_adapter_is_shown(write, home, plugins):
    path = write("training:\n  adapters:\n    plans: {}\n    code: {}")
    path.write_text(path.read_text() + "\n::instruction#code::\n### Q\nWhat is it?\n### A\nA lamp.\n", "utf-8")

    def asked(*more):
        result = CliRunner().invoke(main, ["study", str(path), "--json", *more])
        assert result.exit_code == 0, result.output
        kinds = {kind["kind"]: kind["records"] for kind in json.loads(result.stdout)["kinds"]}
        return {record["messages"][0]["content"] for record in kinds["qa"]}, result.stderr

    assert asked()[0] == {"Who built the lamp?"}
    assert "this is what trains plans; --adapter shows code" in asked()[1]
    assert asked("--adapter", "code")[0] == {"What is it?"}


def test_what_is_read_first_and_what_is_held_out_of_it_is_shown(write, home, plugins):
    path = write("training: {cpt: {schedule: dapt}}")
    said = [f"The pump in hall {n} is looked after by keeper {n} until the bell of hall {n} rings." for n in range(40)]
    head, rest = path.read_text("utf-8").rsplit("---\n", 1)
    pumps = "".join(f"## Pump {n}\n{text}\n\n" for n, text in enumerate(said))
    path.write_text(f"{head}---\n{pumps}\n{rest}", "utf-8")
    found = json.loads(CliRunner().invoke(main, ["study", str(path), "--json"]).stdout)
    (read,) = (kind["records"] for kind in found["kinds"] if kind["kind"] == "text")
    apart = [record["text"] for record in found["held_out_text"]]
    assert apart
    assert sorted([*apart, *(record["text"] for record in read if "pump" in record["text"])]) == sorted(said)
    shown = CliRunner().invoke(main, ["study", str(path)]).stdout
    assert f"held-out text: {len(apart)} record" in shown
