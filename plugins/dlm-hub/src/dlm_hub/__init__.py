"""The Hugging Face Hub: a version as a repository, in a folder or pushed and pulled.

:mod:`.sink` writes a folder and asks no network; :mod:`.transport` sends and fetches packs, in :mod:`.sending` and
:mod:`.fetching`. Both write :mod:`.layout` and :mod:`.card`; :mod:`.licences` knows what the Hub calls a licence.
"""
