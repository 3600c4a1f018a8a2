"""What frames, notebooks, pictures and the terminal read: rows as columns, HTML and chart data. Pure."""
