"""Sample pipeline "control-flow": a loop with collected outputs, conditions, a nested pipeline and an importer.

Its steps do next to nothing, because only the graph matters. Compile it with `python -m localkfp.samples.compile`.
"""

# A component is one self-contained function: its body includes all imports and helpers.
# ruff: noqa: ANN201, B006, PLC0415, PTH123, T201

from kfp import dsl

COLOURS_URI = "minio://mlpipeline/v2/artifacts/samples/colours.csv"


@dsl.component(base_image="python:3.11")
def square(number: int, result: dsl.Output[dsl.Dataset]) -> int:
    """Squares a number, and writes it down."""
    result.uri += ".csv"
    result.metadata["number"] = number
    with open(result.path, "w") as file:
        file.write(f"number,square\n{number},{number * number}\n")
    return number * number


@dsl.component(base_image="python:3.11")
def total(squares: list[int], parts: dsl.Input[list[dsl.Dataset]], table: dsl.Output[dsl.Dataset]) -> int:
    """Adds up what the loop collected, and joins its files."""
    lines = ["number,square"]
    for part in parts:
        with open(part.path) as file:
            lines += file.read().split()[1:]
    table.uri += ".csv"
    with open(table.path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return int(sum(squares))


@dsl.component(base_image="python:3.11")
def say(text: str) -> str:
    """Says something to the log."""
    print(text)
    return text


@dsl.component(base_image="python:3.11")
def brightness(colours: dsl.Input[dsl.Dataset], table: dsl.Output[dsl.Dataset]) -> str:
    """Finds the brightest of the imported colours."""
    import csv

    with open(colours.path, newline="") as file:
        rows = [
            (row["name"], sum(int(row[part]) for part in ("red", "green", "blue")) / 765)
            for row in csv.DictReader(file)
        ]
    table.uri += ".csv"
    with open(table.path, "w") as file:
        file.write("name,brightness\n" + "".join(f"{name},{value:.3f}\n" for name, value in rows))
    return max(rows, key=lambda row: row[1])[0]


@dsl.pipeline(name="describe-colours")
def describe_colours(greeting: str, colours: dsl.Input[dsl.Dataset]) -> str:
    """The nested pipeline."""
    brightest = brightness(colours=colours)
    greeted = say(text=f"{greeting}: {brightest.outputs['Output']}")
    return greeted.output


@dsl.pipeline(name="control-flow", description="A loop, conditions, a nested pipeline, an importer.")
def control_flow(
    numbers: list[int] = [2, 3, 5],
    threshold: int = 30,
    greeting: str = "The brightest colour",
):
    """Runs every kind of control flow once."""
    with dsl.ParallelFor(items=numbers) as number:
        squared = square(number=number)
    added = total(squares=dsl.Collected(squared.outputs["Output"]), parts=dsl.Collected(squared.outputs["result"]))
    with dsl.If(added.outputs["Output"] > threshold, name="is-large"):
        say(text="The sum is large.").set_display_name("say-large")
    with dsl.If(added.outputs["Output"] <= threshold, name="is-small"):
        say(text="The sum is small.").set_display_name("say-small")
    colours = dsl.importer(artifact_uri=COLOURS_URI, artifact_class=dsl.Dataset, metadata={"format": "csv"})
    described = describe_colours(greeting=greeting, colours=colours.output)
    say(text=described.output).set_display_name("say-colour")
