"""Statistics of data sets in the form of TensorFlow Data Validation: read from its files, or computed, and drawn.

`read` needs tensorflow-metadata, `compute` polars and NumPy, `draw` nothing. None of them needs TensorFlow.
"""
