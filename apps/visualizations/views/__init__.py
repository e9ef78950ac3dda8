"""The pages of visualizations: the Creator on a step, the gallery, a visualization, live states, results and library code."""
