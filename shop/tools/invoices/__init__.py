"""Real invoices as orders: reading CSV files of the "Online Retail" shape, cleaning them, placing what they order."""
