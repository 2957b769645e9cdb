"""Code that several packages share. Nothing here is public."""
