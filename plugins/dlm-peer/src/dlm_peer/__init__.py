"""A trained document from one machine straight to another. ``import dlm_peer`` costs nothing beyond this file.

:mod:`.command` packs a document (:mod:`.offering`) and has :mod:`.serving` serve it. A connection passes :mod:`.room`
(how long it may wait), :mod:`.gate` (encryption) and :mod:`.app` (who may have what: :mod:`.tickets`, :mod:`.ledger`,
:mod:`.pace`), and gets bytes from :mod:`.sending`. :mod:`.transport` is the other end, which knows by :mod:`.pinned`
whom it talks to. :mod:`.address` is what one side prints and the other is given.
"""
