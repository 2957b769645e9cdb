"""What the packages share. Nothing here is public."""
