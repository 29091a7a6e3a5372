"""Sentences to put a question, a heading or a gap into. Those reserved for hold-out never occur in training."""

from __future__ import annotations

WRAPPED = (
    "Quick question: {q}",
    "{q} Please answer in one sentence.",
    "I am new here. {q}",
    "Hi! {q}",
    "Can you help me with this? {q}",
    "{q} Thanks!",
    "Question: {q}\nAnswer:",
    'Someone asked me: "{q}"',
    "{q} Be brief.",
    "I forgot this: {l}",
    "Please look this up: {q}",
    "Do you know the answer? {q}",
    "According to the {t}, {l}",
    "I am reading the {t}. {q}",
    "Remind me: {l}",
    "{l}",
)
WRAPPED_HELD_OUT = (
    "A colleague would like to know: {q}",
    "One thing I still need for my notes: {l}",
    "{q} I could not find it myself.",
)
HEADING = (
    "What do you know about {h}?",
    "Tell me about {h}.",
    "Summarize what is known about {h}.",
    "Give me all the details on {h}.",
    "I need information about {h}.",
    "{h}?",
)
HEADING_HELD_OUT = ("Please explain {h} to a newcomer.", "What should somebody who is new here learn about {h}?")
CLOZE_SPAN = "Fill in the blank ({h}): {gap}"
CLOZE_SENTENCE = "Complete this sentence ({h}): {gap}"
KEYWORDS = "{h}: {words}?"

_OPENERS = (
    "who whom whose what which when where why how is are was were do does did can could should would will has have "
    "may must at in on for from to with by of if tell give name please explain describe show list"
)
OPENERS = frozenset(_OPENERS.split())
"""First words of a question that are no names."""


def lowered(question: str) -> str:
    """``question`` as the second half of a sentence: lower case, unless its first word may be a name."""
    first = question.split(maxsplit=1)[0] if question.strip() else ""
    return question[0].lower() + question[1:] if first.lower().rstrip(",.'s") in OPENERS else question


def fill(frame: str, question: str, title: str) -> str:
    """One of the ``WRAPPED`` frames around ``question``."""
    return frame.format(q=question, l=lowered(question), t=title)
