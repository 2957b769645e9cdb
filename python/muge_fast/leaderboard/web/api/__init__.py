"""The API under ``/api/v1``, with its description at ``/api/v1/openapi.json``."""
