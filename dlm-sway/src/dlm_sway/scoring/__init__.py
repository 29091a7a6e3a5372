"""Numbers about two views of a model: what a backend computes, cached, with the numeric noise floor beside it."""
