"""Stand-ins for the outside services: processes with ledgers of their own, apart from the shop."""
