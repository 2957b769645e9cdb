"""Workers: they claim evaluations, score files in processes that can do nothing else, and store verdicts."""
