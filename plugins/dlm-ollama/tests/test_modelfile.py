"""What a Modelfile holds is what was put into it, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_ollama.modelfile import Modelfile, Unwritable, read

TEXTS = st.text(st.sampled_from(' "\n\t#ab{}é\\\u00a0\u200d\r'), max_size=14)


@given(template=TEXTS | st.none(), system=TEXTS | st.none(), stops=st.lists(TEXTS, max_size=3))
def test_whatever_is_written_reads_back_as_it_was(template, system, stops):
    model = Modelfile("./model.gguf", template=template, system=system, stops=tuple(stops), temperature=0.3)
    try:
        text = model.write()
    except Unwritable:
        return
    assert read(text) == model


@pytest.mark.parametrize(
    "text",
    [
        "Be exact.",
        'Say "hello".',
        '"quoted"',
        '""',
        "two\nlines\n",
        "\n\nlines around\n\n",
        '  spaces "around"  ',
        'three """ inside',
        'ends with a quote"\nand goes on',
        'ends with """',
        "FROM ./other.gguf\nPARAMETER stop x",
        "# no comment",
        "naïve 你好 \U0001f6a2",
        "",
    ],
)
def test_what_people_write_into_a_system_prompt_is_held(text):
    assert read(Modelfile("./model.gguf", system=text).write()).system == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('it says\n"""\nand goes on', r'line 2 ends with """'),
        ("one\nsoft\u00adhyphen", r"line 2 has the character U\+00AD, which Ollama drops"),
        ("carriage\rreturn", "line 1 has a carriage return"),
    ],
)
def test_what_ollama_would_read_otherwise_is_refused_with_its_place(text, why):
    with pytest.raises(Unwritable, match=f"SYSTEM: .*({why})"):
        Modelfile("./model.gguf", system=text).write()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("TEMPLATE x\n", "no FROM"),
        ('FROM ./a\nSYSTEM """open\n', "not closed"),
        ("FROM ./a\nMESSAGE user hello\n", "'message'"),
        ("FROM ./a\nPARAMETER mirostat 1\n", "'mirostat'"),
    ],
)
def test_a_file_that_dlm_did_not_write_is_refused(text, why):
    with pytest.raises(Unwritable, match=why):
        read(text)
