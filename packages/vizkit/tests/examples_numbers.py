"""Examples of regression and drift, on scikit-learn's data sets."""

from packages.vizkit.tests.independent import make

DIABETES = """
import numpy as np, polars as pl
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_predict
data = load_diabetes()
predicted = cross_val_predict(LinearRegression(), data.data, data.target, cv=5)
pl.DataFrame({"target": data.target, "prediction": predicted}).write_csv("diabetes.csv")
answer = None
"""
WINE = """
import numpy as np, polars as pl
from sklearn.datasets import load_wine
data = load_wine(as_frame=True).frame
data["kind"] = data["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
rows = pl.from_pandas(data.drop(columns="target"))
rows.filter(pl.col("kind") != "barbera").write_csv("train.csv")
rows.filter(pl.col("kind") != "barolo").write_csv("serving.csv")
answer = None
"""


def diabetes(folder):
    make("base", DIABETES, folder)
    return folder / "diabetes.csv", {}


def wine(folder):
    make("base", WINE, folder)
    return folder, {}


EXAMPLES = {"regression": diabetes, "drift": wine}
