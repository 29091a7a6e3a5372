"""A suite as one file that runs elsewhere: what goes in (:mod:`.gather`), the file (:mod:`.archive`), and out again
(:mod:`.unpack`). What a suite means is not decided here."""
