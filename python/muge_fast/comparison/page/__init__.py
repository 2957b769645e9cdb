"""The HTML page of a comparison: a file for each section."""
