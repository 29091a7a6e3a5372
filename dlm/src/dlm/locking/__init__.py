"""``dlm.lock``: of what a version was made, and whether the next training would be made of the same.

:mod:`.models` is the file, :mod:`.taking` writes down what a training would be made of, :mod:`.table` says how much
each difference matters, :mod:`.comparing` finds them, :mod:`.guard` stops a training or finds that it is not needed.
Where the file lies, and how it gets there with a version, is the store's: :mod:`dlm.store.lock_file`.
"""
