"""What `tunnelgate explain` shows: the cases of a question as text or JSON."""
