"""The probe interface, and the two probes that need no other distribution: ``null_adapter`` and ``integrity``."""
