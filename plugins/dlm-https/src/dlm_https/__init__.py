"""Packs over HTTPS, both ways, from and to servers that know nothing of dlm.

:mod:`.transport` is what dlm calls. :mod:`.downloading` fetches one file and goes on where it broke off; it knows
nothing of packs, and other transports use it with a client of their own. :mod:`.uploading` is the way back.
"""
