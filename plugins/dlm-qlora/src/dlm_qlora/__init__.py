"""Bases in 4 bits. Both faces only describe; :mod:`.nf4` loads, :mod:`.refusing` says where that cannot work."""

LIBRARIES = ("dlm-qlora", "bitsandbytes")
"""Whose versions decide how weights are rounded."""
