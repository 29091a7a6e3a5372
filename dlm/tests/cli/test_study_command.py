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
