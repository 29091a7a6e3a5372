"""HTML reports of sway."""
