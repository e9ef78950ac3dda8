"""The pages of runs, steps, artifacts, pipelines and experiments. A view is: get, check, call, answer."""
