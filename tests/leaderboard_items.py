"""Boards whose verdicts have scores of items, for the tests of standings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import muge_fast as mf
from leaderboard_boards import ADMIN, Board
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.rules.ranking import RankingRule, published_number
from muge_fast.leaderboard.standings.cache import StandingCache
from muge_fast.leaderboard.standings.item_rows import write_item_rows
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.submissions import add_blob
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.store.verdicts import NewVerdict

SETTINGS = """
prizes = {prizes}
[tasks.retrieval]
gold = "gold.jsonl"
anonymous = {anonymous}
"""


def scores_of_hits(hits: Sequence[bool]) -> mf.Scores:
    """Return the scores of queries with one relevant item each, which is the first one or none."""
    ranked = {query: [1 if hit else 2] for query, hit in enumerate(hits)}
    return mf.score_retrieval(ranked, {query: [1] for query in ranked}, ks=[1])


class ItemBoard(Board):
    """A board in a folder, with files of item rows."""

    def __init__(self, folder: Path, address: str, *, prizes: int = 8, anonymous: bool = False) -> None:
        super().__init__(address)
        (folder / "gold.jsonl").write_text("")
        text = SETTINGS.format(prizes=prizes, anonymous=str(anonymous).lower())
        (folder / "board.toml").write_text(text)
        self.opened = open_board(folder, database=address, clock=self.clock)
        self.standings = StandingCache(self.opened, in_background=False)

    def close(self) -> None:
        self.standings.close()
        self.opened.close()
        self.database.close()

    def new_host(self, name: str = "baseline") -> None:
        founder = self.new_account(name)
        self.teams[name] = create_team(self.database, name=name, name_key=name, founder=founder, host=True, actor=ADMIN)

    def judge_hits(self, account: str, hits: Sequence[bool], *, content: object = None, **options) -> str:
        """Accept a submission with these hits, judge it, and return its id."""
        return self.judge_scores(account, scores_of_hits(hits), content=content or str(hits), **options)

    def judge_scores(self, account: str, scores: mf.Scores, *, with_rows: bool = True, **options) -> str:
        if account not in self.accounts:
            self.new_team(account)
        accepted = self.accept(account, **options)
        job = claim(self.database, "worker")
        assert job.submission == accepted.submission
        published = float(published_number(scores["mean_recall"].value, RankingRule()))
        rows = self.store_rows(scores) if with_rows else None
        values = {"mean_recall": scores["mean_recall"].value}
        assert finish(self.database, job, NewVerdict(True, {"errors": []}, values, published, 0.5, "0.2.0", rows))
        return accepted.submission

    def store_rows(self, scores: mf.Scores) -> str:
        stored = self.opened.blobs.put([write_item_rows(scores, "mean_recall")])
        with self.database.write() as connection:
            add_blob(connection, stored.sha256, stored.size, self.clock())
        return stored.sha256


def hits_with_rate(rate: float, items: int = 400, seed: int = 1) -> list[bool]:
    """Return hits of a system of this quality on items of a fixed difficulty, with noise of the system."""
    difficulty = np.random.default_rng(0).normal(size=items)
    noise = np.random.default_rng(seed).normal(size=items)
    easiness = difficulty + 0.5 * noise
    return (easiness <= np.quantile(easiness, rate)).tolist()
