"""``sway.yaml``: the models of its keys, and the loader that names every mistake with its line."""
