"""The HTML page of a report: one file that loads nothing, with all text of the submission escaped."""
