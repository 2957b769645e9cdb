"""Standings: the ranking of a task with intervals, possible ranks and best over time, as pages and answers show it."""
