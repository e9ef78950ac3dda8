"""The pages of visualizations: Creator, gallery, a visualization, live states, results, library code."""
