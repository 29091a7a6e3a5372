"""A version as a repository for the Hugging Face Hub. :mod:`.sink` writes the folder, :mod:`.card` its model card,
:mod:`.licences` what the Hub calls a licence. Nothing here asks the network or uploads a file.
"""
