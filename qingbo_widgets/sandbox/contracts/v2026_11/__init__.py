"""Contract 2026-11."""
