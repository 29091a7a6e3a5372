"""A larger model as a teacher: it writes questions about prose and paraphrases of questions, and is not believed.

:mod:`.augmenter` is the whole way from a lesson to records; :mod:`.writers` are the models. What they write goes
through :mod:`.replies` (read), :mod:`.cleaning` (safe to train on), :mod:`.support` (said by the text) and
:mod:`.sameness` (asks the same).
"""
