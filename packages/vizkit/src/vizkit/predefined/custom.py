# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "custom"
# title = "Custom Python"
# description = "Your own Python code. It reads source (a local path), source_uri and variables; what it displays is the result."
# needs_source = false
# ///
# `source` is the artifact's local path, `variables` holds the arguments.
import matplotlib.pyplot as plt
import pandas as pd

frame = pd.read_csv(source)
display(frame.describe())

# %%
frame.select_dtypes("number").hist(bins=30, figsize=(9, 5))
plt.tight_layout()
plt.show()
