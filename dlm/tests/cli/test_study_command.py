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
