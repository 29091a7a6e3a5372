"""A probe of style. :mod:`.plain` and :mod:`.grammar` measure a text, :mod:`.shift` compares measures."""
