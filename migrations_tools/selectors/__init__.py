"""Reading: what surfaces show of runs. Nothing here writes."""
