"""The pages of runs, steps, artifacts, pipelines and experiments. Each view gets, checks, calls, and answers."""
