"""One file that carries a trained document to another machine: made, checked, and put in place.

Format and rules lie in :mod:`.members` and :mod:`.manifest`, tar and zstd in :mod:`.tape` and :mod:`.frame`. What goes
in is decided in :mod:`.choosing`, what is taken out of it in :mod:`.redacting`. How a pack is sent is not here.
"""
