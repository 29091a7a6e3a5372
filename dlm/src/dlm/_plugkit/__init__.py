# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.
"""Plugin plumbing, the same in both cores."""
