"""A site for open challenges: submissions, boards and monthly results. Needs the extra ``leaderboard``.

Nothing of the scorer imports this package. ``rules`` has the decisions as pure functions: who ranks where, how many
files a team may send, when a month ends, who may see what. ``store`` is the database, and ``blobs`` has the files.
"""
