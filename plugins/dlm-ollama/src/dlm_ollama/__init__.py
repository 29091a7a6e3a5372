"""Ollama: the files of a model that it serves, and the way into a running one.

:mod:`.dialects` and :mod:`.recognise` find the conversation template, :mod:`.gotemplate` runs it as Go would,
:mod:`.conversation` gives it what Ollama gives it. :mod:`.modelfile` writes and reads the Modelfile, :mod:`.client`
speaks Ollama's HTTP API, :mod:`.creating` and :mod:`.closed_loop` use it, and :mod:`.sink` is the export.
"""
