"""What organizers do with a board as a whole: back it up, restore it, verify, diagnose and export it."""
