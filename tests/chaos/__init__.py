"""Faults of every kind on the running shop, with its default settings: how long until all orders have ended?"""
