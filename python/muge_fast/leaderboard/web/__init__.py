"""The site: the API under ``/api/v1``, the forms of browsers, and what protects them. Pages are in ``pages``.

``app`` builds the application, ``server`` runs it, and ``site`` has what every request uses.
"""
