"""Clients that mean ill, against a running shop: `python -m tests.attacks`. docs/security.md has the figures."""
