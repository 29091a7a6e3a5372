"""Weights, tokenizer and template of a trained version as GGUF files, tensor by tensor.

:mod:`.sink` is the whole way. :mod:`.checkpoint` reads weights, :mod:`.merging` adds what an adapter learned,
:mod:`.architectures` says which base becomes what, :mod:`.hyperparameters` and :mod:`.layout` describe it,
:mod:`.tokenizer` brings the vocabulary, :mod:`.quantising` chooses how a tensor is held, :mod:`.container` writes.
"""
