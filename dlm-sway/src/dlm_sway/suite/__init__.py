"""Running a suite: probes against one backend, their score, the conclusion and the gate."""
