"""Asking a version with several adapters: by name, by mix, through its gate. Real training, by the toy backend."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from dlm.cli.main import main
from dlm.store import Store
from dlm.store.gate_file import gate_folder, read_gate, schema
from dlm.testing.toy_letters import log_softmax, read_tensor
from dlm.training.backend import Backend

pytestmark = pytest.mark.usefixtures("plugins", "home")
CONTRACTS = Path(__file__).parents[3] / "contracts"
ADAPTERS = "training:\n  recipe: plain\n  adapters:\n    zebra: {}\n    moon: {}"
GATED = f"{ADAPTERS}\n  gate: {{enabled: true}}"
ZEBRA = ("Why do zebras zigzag?", "Is a zebra dizzy?", "Do zebras doze, buzz or blaze?", "Whose zebra is crazy?")
MOON = ("Who took the moon?", "Soon or tomorrow, on foot?", "Look, how cool our moon looks!", "Too good to lose?")


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def section(name, questions, answer):
    return f"\n::instruction#{name}::\n" + "".join(f"### Q\n{question}\n### A\n{answer}\n\n" for question in questions)


@pytest.fixture
def write_two(write):
    def make(more=GATED, zebra=ZEBRA, moon=MOON):
        path = write(more)
        head = path.read_text(encoding="utf-8").split("::instruction::")[0]
        path.write_text(head + section("zebra", zebra, "z" * 200) + section("moon", moon, "o" * 200), "utf-8")
        return path

    return make


@pytest.fixture
def train_two(write_two):
    def make(*arguments, **options):
        path = write_two(*arguments, **options)
        done = run("-q", "train", path, "--max-steps", 60)
        assert done.exit_code == 0, done.output
        return path

    return make


def answer(path, *arguments):
    done = run("prompt", path, "--max-tokens", 3, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def refused(*arguments):
    done = run("prompt", *arguments)
    assert done.exit_code == 2, done.output
    return " ".join(done.stderr.split())


def version(home):
    return Store(home, "01J0000000000000000000000A").current()


def test_each_adapter_answers_by_its_name_and_the_first_one_without_any(train_two) -> None:
    path = train_two(ADAPTERS)
    assert answer(path, "Who?", "--adapter", "zebra") == "zzz"
    assert answer(path, "Who?", "--adapter", "moon") == "ooo"
    for more in ((), ("--gate", "off")):
        done = run("prompt", path, "Who?", "--max-tokens", 3, *more)
        assert done.stdout.strip() == "zzz"
        assert "note: zebra answers, the first of zebra, moon: --adapter chooses" in done.stderr


def test_a_mix_weighs_the_adapters(train_two) -> None:
    path = train_two(ADAPTERS)
    assert answer(path, "Who?", "--adapter-mix", "zebra:1") == "zzz"
    assert answer(path, "Who?", "--adapter-mix", "moon:0.9, zebra:0.1") == "ooo"
    assert answer(path, "Who?", "--adapter-mix", "zebra:0.9,moon:0.1") == "zzz"
    told = json.loads(answer(path, "Who?", "--adapter-mix", "zebra:0.25,moon:0.75", "--json"))
    assert (told["adapters"], told["chosen_by"]) == ({"zebra": 0.25, "moon": 0.75}, "option")


def test_the_gate_answers_each_question_of_a_file_with_its_own_adapter(train_two, tmp_path) -> None:
    path = train_two()
    asked = ["Does the zebra daze?", "Who took our moon?", "Do zebras blaze?", "Soon too cool?"]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(one) + "\n" for one in asked))
    done = run("prompt", path, "--file", tmp_path / "q.jsonl", "--max-tokens", 3, "--json")
    assert done.exit_code == 0, done.output
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reply["answer"] for reply in replies] == ["zzz", "ooo", "zzz", "ooo"]
    assert [max(reply["adapters"], key=reply["adapters"].get) for reply in replies] == ["zebra", "moon"] * 2
    assert all(reply["chosen_by"] == "gate" for reply in replies)
    assert all(round(sum(reply["adapters"].values()), 9) == 1 for reply in replies)
    assert [json.loads(answer(path, one, "--json"))["adapters"] for one in asked] == [
        reply["adapters"] for reply in replies
    ]


def test_the_gate_says_whom_it_asked_on_standard_error(train_two) -> None:
    path = train_two()
    done = run("prompt", path, "Do zebras blaze?", "--max-tokens", 3)
    assert done.stdout == "zzz\n"
    assert "gate: zebra" in done.stderr
    assert "gate:" not in run("-q", "prompt", path, "Do zebras blaze?", "--max-tokens", 3).output
    assert answer(path, "Who took our moon?", "--gate", "auto") == "ooo"
    assert answer(path, "Who took our moon?", "--gate", "off") == "zzz"
    assert answer(path, "Who took our moon?", "--adapter", "zebra") == "zzz"


def test_a_grounded_answer_comes_from_the_adapter_that_the_gate_chose(train_two) -> None:
    told = json.loads(answer(train_two(), "Who took our moon?", "--grounded", "--json"))
    assert (told["answer"], told["supported"], told["chosen_by"]) == ("ooo", False, "gate")


def test_the_gate_lies_in_the_version_and_says_how_well_it_chooses(train_two, home) -> None:
    train_two()
    gate = read_gate(version(home).path)
    assert (gate.mode, gate.adapters) == ("trained", ("zebra", "moon"))
    assert gate.held_out.texts == sum(gate.samples.values())
    assert gate.held_out.low <= gate.held_out.share == gate.held_out.right / gate.held_out.texts
    assert gate.held_out.chance < gate.held_out.share
    assert sum(gate.mean_weights.values()) == pytest.approx(1)


def test_the_log_tells_of_the_gate_as_its_schema_says(train_two, home) -> None:
    train_two()
    (log,) = (home / "store").glob("*/logs/*.jsonl")
    (line,) = [one for one in map(json.loads, log.read_text("utf-8").splitlines()) if one["type"] == "gate"]
    jsonschema.validate(line, json.loads((CONTRACTS / "train-log.schema.json").read_text("utf-8")))
    jsonschema.validate(line, {"required": ["held_out"], "properties": {"mode": {"const": "trained"}}})


def test_the_gate_is_written_as_its_schema_says(train_two, home) -> None:
    committed = (CONTRACTS / "version-gate.schema.json").read_text("utf-8")
    write = "python -c 'from dlm.store.gate_file import schema; print(schema(), end=\"\")'"
    assert committed == schema(), f"run: {write} > contracts/version-gate.schema.json"
    train_two()
    written = json.loads((gate_folder(version(home).path) / "gate.json").read_text("utf-8"))
    jsonschema.validate(written, json.loads(committed))


def test_training_the_same_document_again_gives_the_same_gate(train_two, home) -> None:
    path = train_two()
    first = version(home).path
    assert run("-q", "train", path, "--max-steps", 60, "--ignore-lock").exit_code == 0
    second = version(home).path
    assert first != second
    for name in ("gate.json", "gate.safetensors"):
        assert (gate_folder(first) / name).read_bytes() == (gate_folder(second) / name).read_bytes()


def test_training_one_adapter_alone_trains_the_gate_too(train_two, home) -> None:
    path = train_two()
    path.write_text(path.read_text("utf-8") + section("moon", ("Who mooed at noon?",), "o" * 200), "utf-8")
    before = read_gate(version(home).path)
    assert run("-q", "train", path, "--adapter", "moon", "--max-steps", 20).exit_code == 0
    assert read_gate(version(home).path).samples["moon"] > before.samples["moon"]
    assert answer(path, "Do zebras blaze?") == "zzz"


def test_with_too_few_questions_all_adapters_weigh_the_same_and_it_says_why(write_two, home) -> None:
    path = write_two(f"{ADAPTERS}\n  gate: {{enabled: true, cold_start_floor: 30}}", moon=MOON[:1])
    trained = run("train", path, "--max-steps", 60)
    assert "belong to `moon` alone and training.gate.cold_start_floor is 30" in " ".join(trained.output.split())
    gate = read_gate(version(home).path)
    assert (gate.mode, gate.held_out, gate.weights_sha256) == ("uniform", None, None)
    done = run("prompt", path, "Who?", "--max-tokens", 3, "--json")
    assert json.loads(done.stdout)["adapters"] == {"zebra": 0.5, "moon": 0.5}
    assert "note: all adapters weigh the same: the gate is not trained" in " ".join(done.stderr.split())


def test_a_version_without_a_gate_refuses_to_ask_one(train_two) -> None:
    assert "has no gate: set training.gate.enabled: true" in refused(train_two(ADAPTERS), "Who?", "--gate", "auto")


def test_a_damaged_gate_is_named_and_an_adapter_can_still_be_asked(train_two, home) -> None:
    path = train_two()
    (gate_folder(version(home).path) / "gate.safetensors").write_bytes(b"nonsense")
    done = run("prompt", path, "Who?")
    assert done.exit_code == 3
    assert "gate.safetensors is damaged" in done.stderr
    assert "--adapter NAME" in done.stderr
    assert answer(path, "Who?", "--adapter", "moon") == "ooo"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--adapter", "moon", "--gate", "off"), "--adapter and --gate each choose the adapter: give one of them"),
        (("--adapter", "moon", "--adapter-mix", "moon:1"), "--adapter and --adapter-mix each choose"),
        (("--adapter-mix", "moon:1", "--gate", "auto"), "--adapter-mix and --gate each choose"),
        (("--adapter", ""), "--adapter is empty"),
        (("--adapter", "sun"), "v0001 has no adapter 'sun': it has zebra, moon"),
        (("--adapter-mix", "zebra:0.5,sun:0.5"), "part 2 of the mix, 'sun:0.5', names no adapter"),
        (("--adapter-mix", "zebra=0.5"), "part 1 of the mix, 'zebra=0.5', is not a name with a weight"),
        (("--adapter", "moon", "--base"), "the untouched base has no adapters"),
        (("--gate", "auto", "--with-doc"), "the untouched base has no adapters"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_loaded(train_two, arguments, says) -> None:
    assert says in refused(train_two(ADAPTERS), "Who?", *arguments)


@pytest.mark.parametrize("arguments", [("--adapter", "moon"), ("--adapter-mix", "moon:1"), ("--gate", "auto")])
def test_a_version_of_one_adapter_has_none_to_choose(write, arguments) -> None:
    path = write()
    assert run("-q", "train", path, "--max-steps", 10).exit_code == 0
    assert "v0001 has one adapter, without a name, so there is none to choose" in refused(path, "Who?", *arguments)
    told = json.loads(answer(path, "Who?", "--json"))
    assert "adapters" not in told


def test_adapters_of_4_bit_weights_are_not_mixed_with_others_unless_it_is_asked_for(train_two, home) -> None:
    path = train_two(ADAPTERS)
    file = version(home).path / "version.json"
    facts = json.loads(file.read_text())
    facts["adapters"]["moon"]["base_quantisation"] = "nf4"
    file.write_text(json.dumps(facts))
    done = run("prompt", path, "Who?", "--adapter-mix", "zebra:0.5,moon:0.5")
    assert done.exit_code == 3
    assert "moon was trained on nf4 weights" in done.stderr
    assert answer(path, "Who?", "--adapter-mix", "zebra:0.9,moon:0.1", "--any-precision") == "zzz"
    assert answer(path, "Who?", "--adapter", "zebra") == "zzz"


def test_a_gate_over_one_adapter_is_a_mistake_in_the_document(write) -> None:
    done = run("train", write("training:\n  adapters:\n    zebra: {}\n  gate: {enabled: true}"))
    assert done.exit_code == 2
    assert "a gate needs at least two adapters" in done.output


def test_a_backend_without_gates_says_so_and_commits_nothing(write_two, home, monkeypatch) -> None:
    from dlm.testing.toy import ToyBackend

    monkeypatch.setattr(ToyBackend, "train_gate", Backend.train_gate)
    done = run("-q", "train", write_two(), "--max-steps", 5)
    assert done.exit_code == 3
    assert "this backend trains no gates: remove training.gate" in done.output
    assert version(home) is None


def test_the_mix_is_the_sum_of_what_the_adapters_add(train_two, home) -> None:
    """Drawn answers follow the mixed model's chances, which the files give exactly."""
    path = train_two(ADAPTERS)
    logits = [read_tensor(version(home).folder_of(name) / "adapter_model.safetensors") for name in ("zebra", "moon")]
    even = log_softmax([0.5 * one + 0.5 * other for one, other in zip(*logits, strict=True)])
    likeliest = max(range(len(even)), key=even.__getitem__)
    assert answer(path, "Who?", "--adapter-mix", "zebra:0.5,moon:0.5") == chr(32 + likeliest) * 3
