"""What `tunnelgate diff` shows: a report of changes as text, Markdown or JSON."""
