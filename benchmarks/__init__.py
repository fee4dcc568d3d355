"""Measures the shop beside what one could take instead, all in one run: `make bench`, `make bench-quick`."""
