"""The teacher: from a lesson to prompts, from replies to records.

Everything is asked before anything is given back, in two rounds: what gave too little in the first is asked once more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dlm.corpus.lesson import Augmenter
from dlm.corpus.makers import question

from .cache import Replies
from .options import read_options
from .sameness import Rival
from .spans import plain
from .tally import Tally
from .tasks import LONGEST_TEXT, PARAPHRASE, QUESTION, PairTask, TextTask, reserved_out
from .writers import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dlm.corpus.lesson import AugmentContext, Lesson
    from dlm.corpus.makers import Block
    from dlm.corpus.records import Record

    from .prompts import Prompt
    from .tasks import Task
    from .writers.base import Writer

FOLDER = "teacher"
"""In the cache: the replies."""
SPEAK_EVERY = 20.0
"""Seconds between two lines about a long wait."""


class Teacher(Augmenter):
    """A larger model that writes questions about the text and paraphrases of questions.

    What it writes is taken for a suggestion: only what the text bears out, in its own names and numbers, is trained.
    """

    kinds: Mapping[str, float] = {QUESTION: 1.5, PARAPHRASE: 2.0}
    why: Mapping[str, str] = {
        QUESTION: "Questions that a larger model wrote about the text, and the text bears out.",
        PARAPHRASE: "Other wordings of the questions, written by a larger model.",
    }

    def __init__(self, options: Mapping[str, Any], context: AugmentContext) -> None:
        super().__init__(options, context)
        self.wanted = read_options(options)

    def records(self, lesson: Lesson) -> Iterator[Record]:
        tasks = [*self._texts(lesson), *self._pairs(lesson)]
        if all(task.prompt(again=False) is None for task in tasks):
            return
        tally = Tally()
        with open_writer(self.wanted, self.context) as writer:
            replies = Replies(self.context.cache / FOLDER, writer.identity, self.wanted.temperature)
            for again in (False, True):
                self._round(tasks, writer, replies, tally, again=again)
        replies.prune()
        yield from self._kept(tasks, lesson, tally)
        for line in tally.lines():
            self.context.say(line)

    def _texts(self, lesson: Lesson) -> Iterator[TextTask]:
        for block in lesson.blocks:
            for part in _parts(block):
                yield TextTask(self.wanted, lesson.seed, block, part)

    def _pairs(self, lesson: Lesson) -> Iterator[PairTask]:
        """One task a pair: its wordings belong together. A model is never shown a reserved one."""
        pairs: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
        reserved = {plain(one) for one in lesson.reserved}
        for record in lesson.questions:
            if plain(question(record)) not in reserved:
                *before, _, answer = record.messages
                pairs[record.group, tuple(before), answer].append(record)
        everybody = [(record.group, Rival.of(question(record))) for records in pairs.values() for record in records]
        for wordings in pairs.values():
            yield PairTask(self.wanted, lesson.seed, tuple(wordings), everybody, lesson.title, lesson.room)

    def _round(self, tasks: Sequence[Task], writer: Writer, replies: Replies, tally: Tally, *, again: bool) -> None:
        """Ask every task that has something to ask; keep each reply as soon as it is there."""
        asked = [(task, prompt) for task in tasks if (prompt := task.prompt(again=again)) is not None]
        known = {place: reply for place, (_, prompt) in enumerate(asked) if (reply := replies.get(prompt)) is not None}
        missing = [place for place in range(len(asked)) if place not in known]
        for place in known:
            replies.touch(asked[place][1])
        if missing:
            found = self._ask([asked[place][1] for place in missing], writer, replies)
            known |= {missing[at]: reply for at, reply in found.items()}
        for place, (task, _) in enumerate(asked):
            task.read(known[place])
        tally.asked += len(missing)
        tally.cached += len(asked) - len(missing)

    def _ask(self, prompts: Sequence[Prompt], writer: Writer, replies: Replies) -> dict[int, str]:
        self.context.say(f"teacher: {len(prompts):,} to ask of {self.wanted.name or self.wanted.model}")
        found: dict[int, str] = {}
        started = spoke = time.monotonic()
        with closing(writer.write(prompts, self.wanted.temperature)) as written:
            for at, reply in written:
                replies.put(prompts[at], reply)
                found[at] = reply
                if (now := time.monotonic()) - spoke >= SPEAK_EVERY:
                    spoke = now
                    left = (now - started) / len(found) * (len(prompts) - len(found)) / 60
                    self.context.say(f"teacher: {len(found):,} of {len(prompts):,}, about {left:.0f} min left")
        return found

    def _kept(self, tasks: Sequence[Task], lesson: Lesson, tally: Tally) -> Iterator[Record]:
        made = [record for task in tasks for record in task.records()]
        for task in tasks:
            tally.dropped.update(task.dropped)
        given = {plain(question(record)): record.messages[-1].content for record in lesson.questions}
        answers: dict[str, set[str]] = defaultdict(set)
        for record in made:
            answers[plain(question(record))].add(record.messages[-1].content)
        seen: set[str] = set()
        for record in reserved_out(made, lesson, tally.dropped):
            said = plain(question(record))
            if said in given or said in seen:
                tally.dropped["repeated"] += 1
            elif len(answers[said]) > 1:
                # The same words asked of two texts: neither answer is the right one.
                tally.dropped["answered in two ways"] += 1
            else:
                seen.add(said)
                tally.kept[record.kind] += 1
                yield record


def _parts(block: Block) -> Iterator[str]:
    """The block's text in parts that fit a prompt, cut between paragraphs; a longer paragraph is left out."""
    part = ""
    for paragraph in block.paragraphs:
        joined = f"{part}\n\n{paragraph.text}" if part else paragraph.text
        if len(joined.encode()) <= LONGEST_TEXT:
            part = joined
            continue
        if part.strip():
            yield part
        part = paragraph.text if len(paragraph.text.encode()) <= LONGEST_TEXT else ""
    if part.strip():
        yield part
