"""Views of the pages: each reads a request and returns what its template shows."""
