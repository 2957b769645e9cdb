"""The rules of a challenge as pure functions: no database, no clock, no network.

The current time is always an argument, and every time is an aware ``datetime``. docs/leaderboard-design.md has the same
rules in words that an organizer can publish.
"""
