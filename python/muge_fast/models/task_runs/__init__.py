"""What a run does for each task: from the files of a data set to a submission."""
