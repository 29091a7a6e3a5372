"""Keys and signatures of packs, in two formats that others check without dlm.

:mod:`.oms` is OpenSSF Model Signing, :mod:`.mini` minisign. Whose key counts, and what is refused, is dlm's.
"""
