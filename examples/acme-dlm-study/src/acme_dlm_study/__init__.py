"""Study records by acme."""
