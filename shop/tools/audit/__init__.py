"""The audit: whether the promises hold, over all services and both providers' ledgers. It only reads.

This package, the importer and `customers` are the only places that may look into every app's tables.
"""
