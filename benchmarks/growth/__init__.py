"""How the shop does when its tables, its orders or its backlog are large, or all want the same product."""
