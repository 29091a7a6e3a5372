"""Document to records: what will be trained, why, and what is held out. No tokens, no torch."""
