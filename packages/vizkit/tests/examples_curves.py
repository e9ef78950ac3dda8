"""Examples of curves, matrices and importances, from cross-validated classifiers on scikit-learn's data sets."""

from packages.vizkit.tests.independent import make

PREDICT = """
from sklearn import datasets, linear_model, model_selection, pipeline, preprocessing
import pandas as pd
data = getattr(datasets, "load_{name}")()
names = [str(each) for each in data.target_names]
model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(C=0.01, max_iter=500))
scores = model_selection.cross_val_predict(model, data.data, data.target, cv=5, method="predict_proba")
rows = pd.DataFrame({{"target": [names[n] for n in data.target], "predicted": [names[n] for n in scores.argmax(1)]}})
for n, name in enumerate(names):
    rows["score_" + name] = scores[:, n]
rows.to_csv("{name}.csv", index=False)
answer = names
"""
PERMUTE = """
import json
from sklearn import datasets, ensemble, inspection
data = datasets.load_wine()
model = ensemble.RandomForestClassifier(30, random_state=0).fit(data.data, data.target)
found = inspection.permutation_importance(model, data.data, data.target, n_repeats=6, random_state=0)
names = list(map(str, data.feature_names))
json.dump({"feature_names": names, "importances": found.importances.tolist()}, open("permutation.json", "w"))
answer = {"names": names, "mean": found.importances_mean.tolist(), "std": found.importances_std.tolist()}
"""
TRAIN = """
import csv
from sklearn import datasets, linear_model, metrics, model_selection
x, y = datasets.load_digits(return_X_y=True)
x, other_x, y, other_y = model_selection.train_test_split(x / 16, y, random_state=0)
model = linear_model.SGDClassifier(loss="log_loss", random_state=0, learning_rate="constant", eta0=0.02)
answer = []
for epoch in range(1, 31):
    model.partial_fit(x, y, classes=range(10))
    losses = [metrics.log_loss(b, model.predict_proba(a)) for a, b in ((x, y), (other_x, other_y))]
    answer.append([epoch, *losses, model.score(x, y), model.score(other_x, other_y)])
with open("history.csv", "w", newline="") as file:
    csv.writer(file).writerows([["epoch", "loss", "val_loss", "accuracy", "val_accuracy"], *answer])
"""


def predictions(folder, name):
    """Writes `<name>.csv` (target, predicted, score_<class>...) and returns its path."""
    make("base", PREDICT.format(name=name), folder)
    return folder / f"{name}.csv"


def _of(name, **arguments):
    return lambda folder: (predictions(folder, name), arguments)


def _history(folder):
    make("base", TRAIN, folder)
    return folder / "history.csv", {}


def _permutation(folder):
    make("base", PERMUTE, folder)
    return folder / "permutation.json", {}


EXAMPLES = {
    "roc_curve": _of("breast_cancer"),
    "precision_recall": _of("breast_cancer"),
    "calibration": _of("breast_cancer"),
    "confusion_matrix": _of("digits"),
    "learning_curves": _history,
    "feature_importance": _permutation,
}
