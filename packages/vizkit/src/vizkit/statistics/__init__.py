"""Statistics of data sets as TensorFlow Data Validation has them: read from its files, or computed, and drawn.

`read` needs tensorflow-metadata, `compute` polars and NumPy, `draw` nothing; TensorFlow is needed by none of them.
"""
