"""Entries for a suite, found by asking the models: wordings that lose an answer (:mod:`.paraphrase`), prompts that
moved most and least (:mod:`.outliers`). :mod:`.asking` opens the models, :mod:`.paste` writes what was found."""
