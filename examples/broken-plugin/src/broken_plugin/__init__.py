"""Needs a library that nobody has, as a plugin does after a bad upgrade."""

import a_library_nobody_has
