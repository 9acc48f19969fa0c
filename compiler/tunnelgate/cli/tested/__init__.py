"""What `tunnelgate test` shows: one file a format."""
