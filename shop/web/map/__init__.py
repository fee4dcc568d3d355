"""The map: who tells whom what in each style, how often just now, and what fails on the way."""
