"""Contract 2026-04."""
