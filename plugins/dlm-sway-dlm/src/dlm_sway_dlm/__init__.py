"""The bridge: the only distribution that knows both cores."""
