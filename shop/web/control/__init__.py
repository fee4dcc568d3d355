"""The control room, with which the admin begins: rows become numbers, numbers become a page."""
