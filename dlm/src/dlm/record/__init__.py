"""What a run leaves for those who ask later how it went.

:mod:`.record` hears what happens and passes it on: to the log, to the database (:mod:`.database`, its tables in
:mod:`.tables`), to trackers (:mod:`.trackers`) and to plugins. :mod:`.reading` answers questions about it, from the
database, the manifest and, where the database has nothing, the log (:mod:`.from_log`). Nothing here decides anything:
a training without a record is the same training.
"""
