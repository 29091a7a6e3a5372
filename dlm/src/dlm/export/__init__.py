"""From a trained version to files that another program serves, with a measurement of what those files say.

``sink`` is what a plugin implements for one target, ``runtime`` what a certificate asks of a model, wherever it runs.
Nothing here knows a file format or loads a weight: sinks and backends do.
"""
