"""Probes by acme."""
