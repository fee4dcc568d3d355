"""What is measured: each module is one system, behind the same protocol."""
