"""The database of the leaderboard: one module for each subject, on SQLite and on PostgreSQL.

Every function that changes something takes a :class:`~muge_fast.leaderboard.store.database.Database`, runs one
transaction, and returns after its commit. What it returns is therefore stored.
"""
