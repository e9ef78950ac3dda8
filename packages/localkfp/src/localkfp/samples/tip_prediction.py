"""Sample pipeline "tip-prediction": which guests of a restaurant tip generously?

Shaped like the taxi pipeline of TFX (examples, statistics, schema, trainer, evaluator), on the 244 restaurant bills
that the plotly package ships. Compile it with `python -m localkfp.samples.compile`.
"""

# A component is one self-contained function: its body includes all imports and helpers.
# ruff: noqa: ANN001, ANN201, ANN202, B006, B905, C901, FBT001, FBT002, PLC0415, PLR0915, PTH123, RUF007, T201

from kfp import dsl


@dsl.component(base_image="python:3.11")
def example_gen(eval_fraction: float, examples: dsl.Output[dsl.Dataset]) -> int:
    """Reads the bills that plotly ships, and splits them into train and eval."""
    import csv
    import gzip
    import hashlib
    from importlib.resources import files

    source = files("plotly") / "package_data" / "datasets" / "tips.csv.gz"
    rows = list(csv.DictReader(gzip.decompress(source.read_bytes()).decode().splitlines()))
    for number, row in enumerate(rows):
        # By hash, so that a row stays in its split whatever is added to the data.
        share = hashlib.sha256(f"{number}:{row['total_bill']}".encode()).digest()[0] / 256
        row["split"] = "eval" if share < eval_fraction else "train"
    examples.uri += ".csv"
    examples.metadata.update({"format": "csv", "rows": len(rows), "columns": list(rows[0])})
    with open(examples.path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} bills, {sum(row['split'] == 'eval' for row in rows)} of them for evaluation")
    return len(rows)


@dsl.component(base_image="python:3.11")
def statistics_gen(examples: dsl.Input[dsl.Dataset], statistics: dsl.Output[dsl.Artifact]):
    """Writes what TensorFlow Data Validation shows: Split-*/FeatureStats.pb."""
    import csv
    import math
    from collections import Counter
    from pathlib import Path
    from statistics import fmean, median, pstdev

    from tensorflow_metadata.proto.v0 import statistics_pb2 as pb

    def is_number(text):
        try:
            return math.isfinite(float(text))
        except ValueError:
            return False

    def fill_common(common, present, missing):
        common.num_non_missing, common.num_missing = present, missing
        common.min_num_values = common.max_num_values = common.avg_num_values = 1
        common.tot_num_values = present
        for _ in range(10):
            bucket = common.num_values_histogram.buckets.add(low_value=1, high_value=1)
            bucket.sample_count = present / 10
        common.num_values_histogram.type = pb.Histogram.QUANTILES

    def fill_numeric(feature, values, missing):
        values = sorted(values)
        is_whole = all(value.is_integer() for value in values)
        feature.type = pb.FeatureNameStatistics.INT if is_whole else pb.FeatureNameStatistics.FLOAT
        stats = feature.num_stats
        fill_common(stats.common_stats, len(values), missing)
        stats.mean, stats.std_dev, stats.median = fmean(values), pstdev(values), median(values)
        stats.min, stats.max, stats.num_zeros = values[0], values[-1], values.count(0.0)
        low, high = values[0], values[-1]
        standard = stats.histograms.add(type=pb.Histogram.STANDARD)
        width = (high - low) / 10 or 1.0
        counts = Counter(min(int((value - low) / width), 9) for value in values)
        for number in range(10):
            start = low + number * width
            standard.buckets.add(low_value=start, high_value=start + width, sample_count=counts[number])
        quantiles = stats.histograms.add(type=pb.Histogram.QUANTILES)
        edges = [values[round(number * (len(values) - 1) / 10)] for number in range(11)]
        for start, end in zip(edges, edges[1:]):
            quantiles.buckets.add(low_value=start, high_value=end, sample_count=len(values) / 10)

    def fill_text(feature, values, missing):
        feature.type = pb.FeatureNameStatistics.STRING
        stats = feature.string_stats
        fill_common(stats.common_stats, len(values), missing)
        counts = Counter(values).most_common()
        stats.unique, stats.avg_length = len(counts), fmean(map(len, values))
        for rank, (label, count) in enumerate(counts):
            stats.top_values.add(value=label, frequency=count)
            stats.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=label, sample_count=count)

    with open(examples.path, newline="") as file:
        rows = list(csv.DictReader(file))
    folder = Path(statistics.path)
    for split in ("train", "eval"):
        own = [row for row in rows if row["split"] == split]
        found = pb.DatasetFeatureStatisticsList()
        dataset = found.datasets.add(name=split, num_examples=len(own), weighted_num_examples=len(own))
        for name in rows[0]:
            values = [row[name] for row in own if row[name] != ""]
            if name == "split" or not values:
                continue
            feature = dataset.features.add()
            feature.path.step.append(name)
            missing = len(own) - len(values)
            if all(map(is_number, values)):
                fill_numeric(feature, list(map(float, values)), missing)
            else:
                fill_text(feature, values, missing)
        target = folder / f"Split-{split}" / "FeatureStats.pb"
        target.parent.mkdir(parents=True)
        target.write_bytes(found.SerializeToString())
        print(f"{split}: {len(dataset.features)} features of {len(own)} bills")
    statistics.metadata.update({"tfx_type": "ExampleStatistics", "split_names": ["train", "eval"]})


@dsl.component(base_image="python:3.11")
def schema_gen(statistics: dsl.Input[dsl.Artifact], schema: dsl.Output[dsl.Artifact]):
    """Infers the schema of the training split, as text."""
    from pathlib import Path

    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(
        (Path(statistics.path) / "Split-train" / "FeatureStats.pb").read_bytes()
    )
    kinds = {
        statistics_pb2.FeatureNameStatistics.INT: schema_pb2.INT,
        statistics_pb2.FeatureNameStatistics.FLOAT: schema_pb2.FLOAT,
        statistics_pb2.FeatureNameStatistics.STRING: schema_pb2.BYTES,
    }
    result = schema_pb2.Schema()
    for statistic in found.datasets[0].features:
        name = statistic.path.step[0]
        feature = result.feature.add(name=name, type=kinds[statistic.type])
        feature.presence.min_fraction, feature.presence.min_count = 1.0, 1
        feature.shape.dim.add(size=1)
        if feature.type == schema_pb2.BYTES:
            feature.domain = name
            values = sorted(value.value for value in statistic.string_stats.top_values)
            result.string_domain.add(name=name, value=values)
        elif feature.type == schema_pb2.INT:
            feature.int_domain.min = int(statistic.num_stats.min)
            feature.int_domain.max = int(statistic.num_stats.max)
    schema.uri += ".pbtxt"
    schema.metadata.update({"tfx_type": "Schema", "features": len(result.feature)})
    Path(schema.path).write_text(text_format.MessageToString(result))
    print(text_format.MessageToString(result))


@dsl.component(base_image="python:3.11")
def trainer(
    examples: dsl.Input[dsl.Dataset],
    schema: dsl.Input[dsl.Artifact],
    tip_fraction: float,
    model_choice: str,
    max_depth: int,
    balanced: bool,
    features: list,
    options: dict,
    model: dsl.Output[dsl.Model],
):
    """Trains a classifier of generous tips on the training split."""
    import csv
    import json
    from pathlib import Path

    import joblib
    from google.protobuf import text_format
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from tensorflow_metadata.proto.v0 import schema_pb2

    known = text_format.Parse(Path(schema.path).read_text(), schema_pb2.Schema()).feature
    kinds = {feature.name: feature.type for feature in known}
    unknown = sorted(set(features) - set(kinds))
    if unknown or "tip" in features:
        raise ValueError(f"features must be columns of the data other than tip; these are not: {unknown or ['tip']}")
    texts = [number for number, name in enumerate(features) if kinds[name] == schema_pb2.BYTES]
    numbers = [number for number in range(len(features)) if number not in texts]

    def table(rows):
        return [
            [row[name] if kinds[name] == schema_pb2.BYTES else float(row[name]) for name in features] for row in rows
        ]

    with open(examples.path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    truth = [float(row["tip"]) > tip_fraction * float(row["total_bill"]) for row in rows]
    weight = "balanced" if balanced else None
    if model_choice == "forest":
        count, seed = int(options.get("trees", 100)), int(options.get("seed", 7))
        learner = RandomForestClassifier(count, max_depth=max_depth, class_weight=weight, random_state=seed)
    elif model_choice == "logistic":
        learner = LogisticRegression(C=float(options.get("C", 1.0)), class_weight=weight, max_iter=1000)
    else:
        raise ValueError(f"model_choice must be 'forest' or 'logistic', not {model_choice!r}")
    prepare = ColumnTransformer(
        [("texts", OneHotEncoder(handle_unknown="ignore"), texts), ("numbers", StandardScaler(), numbers)]
    )
    import numpy as np

    classifier = make_pipeline(prepare, learner).fit(np.array(table(rows), dtype=object), truth)
    model.uri += ".joblib"
    model.framework = "scikit-learn"
    model.metadata.update(
        {"tip_fraction": tip_fraction, "features": features, "is_balanced": balanced, "options": options}
    )
    joblib.dump({"classifier": classifier, "features": features, "texts": texts}, model.path)
    print(f"trained a {model_choice} on {len(rows)} bills, {sum(truth)} with a generous tip: {json.dumps(options)}")


@dsl.component(base_image="python:3.11")
def evaluator(
    examples: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    folds: int,
    predictions: dsl.Output[dsl.Dataset],
    roc: dsl.Output[dsl.Dataset],
    confusion: dsl.Output[dsl.Dataset],
    by_day: dsl.Output[dsl.Dataset],
    curves: dsl.Output[dsl.ClassificationMetrics],
    metrics: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
) -> float:
    """Cross-validates the model on all bills, so that every bill has a prediction by a model that never saw it."""
    import html

    import joblib
    import numpy as np
    import pandas as pd
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score, roc_curve
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    for artifact, suffix in ((predictions, "csv"), (roc, "csv"), (confusion, "csv"), (by_day, "csv")):
        artifact.uri += f".{suffix}"
        artifact.metadata["format"] = suffix
    report.uri += ".html"
    summary.uri += ".md"

    kept = joblib.load(model.path)
    rows = pd.read_csv(examples.path)
    inputs = np.array(rows[kept["features"]].values.tolist(), dtype=object)
    truth = (rows["tip"] > model.metadata["tip_fraction"] * rows["total_bill"]).to_numpy()
    split = StratifiedKFold(folds, shuffle=True, random_state=7)
    scores = cross_val_predict(kept["classifier"], inputs, truth, cv=split, method="predict_proba")[:, 1]
    guessed = scores >= 0.5

    labels = ["average", "generous"]
    names = np.array(labels)
    made = pd.DataFrame({"target": names[truth.astype(int)], "predicted": names[guessed.astype(int)]})
    made["score"] = scores.round(6)
    made = pd.concat([made, rows[["total_bill", "tip", "sex", "smoker", "day", "time", "size", "split"]]], axis=1)
    made.to_csv(predictions.path, index=False)

    fpr, tpr, thresholds = roc_curve(truth, scores)
    thresholds = np.minimum(thresholds, 1.0)  # scikit-learn begins at infinity, which JSON does not have
    pd.DataFrame({"fpr": fpr, "tpr": tpr, "thresholds": thresholds}).to_csv(roc.path, index=False)
    matrix = confusion_matrix(truth, guessed)
    cells = [(labels[i], labels[j], int(matrix[i][j])) for i in (0, 1) for j in (0, 1)]
    pd.DataFrame(cells).to_csv(confusion.path, index=False, header=False)
    curves.log_roc_curve(fpr.tolist(), tpr.tolist(), thresholds.tolist())
    curves.log_confusion_matrix(labels, matrix.tolist())

    auc = float(roc_auc_score(truth, scores))
    found = {
        "accuracy": float(accuracy_score(truth, guessed)),
        "auc": auc,
        "f1": float(f1_score(truth, guessed)),
        "log_loss": float(log_loss(truth, scores)),
        "bills": len(rows),
    }
    for name, value in found.items():
        metrics.log_metric(name, value)

    made["right"] = made["target"] == made["predicted"]
    made["is_generous"] = made["target"] == "generous"
    days = made.groupby("day", sort=False).agg(
        bills=("right", "size"),
        mean_bill=("total_bill", "mean"),
        generous=("is_generous", "sum"),
        accuracy=("right", "mean"),
    )
    days = days.reindex(["Thur", "Fri", "Sat", "Sun"]).reset_index().round(3)
    days.to_csv(by_day.path, index=False)

    bars = "".join(
        f"<tr><td>{html.escape(row.day)}<td><span style='width:{row.accuracy * 240:.0f}px'></span> {row.accuracy:.1%}"
        for row in days.itertuples()
    )
    style = (
        "body{font:15px system-ui;margin:2rem}td{padding:.2em 1em}"
        "span{display:inline-block;height:1em;background:#3b6fd4}"
    )
    page = f"<h1>Generous tips</h1><p>Accuracy by day, {len(rows)} bills, AUC {auc:.3f}.</p><table>{bars}</table>"
    with open(report.path, "w") as file:
        file.write(f"<!doctype html><meta charset='utf-8'><title>Evaluation</title><style>{style}</style>{page}")
    lines = "\n".join(f"| {name} | {value:.4g} |" for name, value in found.items())
    with open(summary.path, "w") as file:
        file.write(
            f"# Evaluation\n\nCross-validated over {folds} folds.\n\n| metric | value |\n| --- | ---: |\n{lines}\n"
        )
    print(f"AUC {auc:.4f}, accuracy {found['accuracy']:.4f}")
    return auc


@dsl.pipeline(name="tip-prediction", description="Who tips generously? Trained on 244 real restaurant bills.")
def tip_prediction(
    tip_fraction: float = 0.15,
    eval_fraction: float = 0.3,
    model_choice: str = "forest",
    max_depth: int = 3,
    balanced: bool = True,
    folds: int = 5,
    features: list = ["total_bill", "sex", "smoker", "day", "time", "size"],
    options: dict = {"trees": 60, "seed": 7},
):
    """Trains and evaluates; see docs/localkfp.md for what each artifact is."""
    examples = example_gen(eval_fraction=eval_fraction)
    statistics = statistics_gen(examples=examples.outputs["examples"])
    schema = schema_gen(statistics=statistics.outputs["statistics"])
    model = trainer(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        tip_fraction=tip_fraction,
        model_choice=model_choice,
        max_depth=max_depth,
        balanced=balanced,
        features=features,
        options=options,
    )
    evaluator(examples=examples.outputs["examples"], model=model.outputs["model"], folds=folds)
