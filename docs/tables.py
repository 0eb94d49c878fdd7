"""What the docs say of the code and of measurements is made here at build time, so that no table is typed.

As a mkdocs hook it replaces each marker `<!-- made: NAME ARGUMENT -->` in a page. As a program it fills the
table of the demo into a file: `python docs/tables.py README.md`.
"""

import dataclasses
import inspect
import json
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "benchmarks" / "results"
DEMO = "demo"
MARKER = re.compile(r"<!-- made: (\w+)(?: ([\w.]+))? -->")
DEMO_TABLE = re.compile(r"(<!-- demo table -->\n).*?(<!-- end of demo table -->)", re.DOTALL)


def on_config(config: Any) -> Any:
    """Every decision record gets a place in the navigation."""
    records = [{f"{path.name[:4]} {title(path)}": f"decisions/{path.name}"} for path in decisions()]
    for section in config["nav"]:
        if section.get("Decisions") == "decisions/index.md":
            section["Decisions"] = ["decisions/index.md", *records]
    return config


def on_page_markdown(markdown: str, page: Any = None, **_: Any) -> str:
    """A page with its markers filled; pictures are looked for from the folder that the page is in."""
    up = "../" * (page.file.src_uri.count("/") if page else 0)
    return filled(markdown).replace("](images/", f"]({up}images/")


def filled(markdown: str) -> str:
    """Text with its markers filled.

    Raises:
        KeyError: a marker names nothing that is made here.
    """
    return MARKER.sub(lambda found: MAKERS[found[1]](*[found[2]] if found[2] else []), markdown)


def rows(head: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    head = list(head)
    table = [head, ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def first_line(thing: Any) -> str:
    """The first sentence of a docstring."""
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".")


def methods() -> str:
    """The registry."""
    from replearn.methods import Model, registry

    found = sorted(registry().values(), key=lambda entry: (entry.family, entry.year))
    return rows(
        ("method", "family", "learns from", "paper", "class"),
        (
            (
                f"`{entry.name}`",
                entry.family,
                ", ".join(entry.kinds),
                f"[{entry.year}]({entry.paper})",
                f"`{entry.cls.__name__}`, {'ours' if issubclass(entry.cls, Model) else 'of scikit-learn'}",
            )
            for entry in found
        ),
    )


def lectures() -> str:
    """The chapters of the book."""
    from replearn.lectures import chapters, find_chapter

    found = [find_chapter(name) for name in chapters()]
    return rows(
        ("name", "chapter", "what it shows", "numbers"),
        (
            (f"`{one.name}`", one.title, one.about, ", ".join(f"`{name}`" for name in one.numbers))
            for one in found
        ),
    )


def fields(name: str) -> str:
    """The fields of a method (without those that all share), or of all (`Method`), with defaults."""
    import replearn

    return fields_of(getattr(replearn, name))


def fields_of(cls: type[Any]) -> str:
    """The same of a class."""
    from replearn.methods import Method, Model, Trained
    from replearn.methods.outline import Outline

    if not issubclass(cls, Model):
        return "Its parameters are those of scikit-learn's class of that name."
    base = next(base for base in (Method, Trained, Model) if issubclass(cls, base))
    shared = () if cls is base else {(field.name, field.default) for field in dataclasses.fields(base)}
    own = [field for field in dataclasses.fields(cls) if (field.name, field.default) not in shared]
    told: dict[str, str] = {}
    for part in reversed([part for part in cls.__mro__ if issubclass(part, Outline)]):
        told |= meanings(part)
    return rows(
        ("field", "default", "meaning"),
        ((f"`{field.name}`", f"`{field.default!r}`", told.get(field.name, "")) for field in own),
    )


def source(name: str) -> str:
    """The file of a method, as it is."""
    import replearn

    module = import_module(getattr(replearn, name).__module__)
    path = module.__name__.replace(".", "/") + ".py"
    return f'`src/{path}`:\n\n```python title="{Path(path).name}"\n{inspect.getsource(module)}```'


def listing(package: str) -> str:
    """The file of a package that the tests install."""
    path = DOCS.parent / "tests" / "kinds" / "installed" / package / "__init__.py"
    return f'```python title="{package}/__init__.py"\n{path.read_text(encoding="utf-8")}```'


def drawings(family: str) -> str:
    """Each method of a family: what it does in a sentence, its data flow as drawn in its file, its fields."""
    from replearn.methods import registry

    entries = [entry for entry in registry().values() if entry.family == family]
    ours = [entry for entry in entries if entry.cls.__module__.startswith("replearn.")]
    return "\n\n".join(drawing(entry.name) for entry in sorted(ours, key=lambda entry: entry.year))


def drawing(name: str) -> str:
    """A method: what it does in a sentence, its data flow as drawn in its file, its fields."""
    from replearn.methods import registry

    entry = registry()[name.lower()]
    sentence, _, rest = (inspect.getdoc(inspect.getmodule(entry.cls)) or "").partition("\n\n")
    drawn, _, rest = rest.partition("\n\n")
    text = rest.partition("Reference")[0].strip()
    paper = f"[{first_line(entry.cls)}]({entry.paper}), {entry.year}."
    shown = f"```text\n{textwrap.dedent(drawn)}\n```"
    return "\n\n".join([f"### {entry.cls.__name__}", sentence, shown, text, paper, fields_of(entry.cls)])


def quality(family: str) -> str:
    """What was measured of the methods of a family, beside the baselines."""
    return measured("quality", {*of_family(family), "raw", "untrained", "pca", "supervised"})


def codes(family: str) -> str:
    """What was measured of the codes of a family, beside the baselines."""
    return measured("codes", {*of_family(family), "raw", "untrained"})


def pretext() -> str:
    """What was measured of pretext tasks and masked prediction, layer by layer."""
    names = of_family("pretext") | of_family("masked")
    return measured("pretext", {*names, "raw", "pca", "simclr", "vicreg", "supervised"})


def episodes() -> str:
    """What was measured by tasks of a few samples of new classes."""
    from replearn.methods import registry

    return measured("episodes", {"raw", "untrained", *registry()})


def sweep(method: str) -> str:
    """What values of a method's field are worth."""
    return measured("sweep", {method})


def disentanglement() -> str:
    """What was measured of codes on data whose factors are known."""
    return measured("disentanglement", of_family("reconstruction"))


def of_family(family: str) -> set[str]:
    """The names of a family's methods."""
    from replearn.methods import registry

    return {name for name, entry in registry().items() if entry.family == family}


def measured(name: str, methods: set[str]) -> str:
    """The table that a benchmark makes of its rows, of some methods."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return f"*Not recorded yet: `python benchmarks/{name}.py` records it.*"
    sys.path.insert(0, str(DOCS.parent / "benchmarks"))
    try:
        markdown = import_module(name).markdown
    finally:
        sys.path.pop(0)
    rows = json.loads(path.read_text(encoding="utf-8"))
    chosen = [row for row in rows if row["method"] in methods]
    told = markdown(sorted(chosen, key=lambda row: row.get("data", ""), reverse=True))
    return re.sub(r"^# .*\n\n", "", told).replace("## ", "### ")


def meanings(cls: type[Any]) -> dict[str, str]:
    """What the docstring's section `Attributes` says of each field."""
    section = (inspect.getdoc(cls) or "").partition("Attributes:")[2]
    entry = r"^    ((?:\w+, )*\w+): (.+?)(?=^    (?:\w+, )*\w+:|\Z|^\S)"
    found = re.findall(entry, section, flags=re.MULTILINE | re.DOTALL)
    return {
        name: " ".join(text.split()).replace(" ...", " …").removesuffix(".")
        for names, text in found
        for name in names.split(", ")
    }


def datasets() -> str:
    """The built-in data sets."""
    from replearn.data import DATASETS

    return rows(
        ("name", "what", "train", "test", "shape", "classes", "licence", "credit"),
        (
            (
                f"`{data.name}`",
                data.what,
                *data.facts(),
                data.classes,
                data.licence,
                data.attribution,
            )
            for data in DATASETS.values()
        ),
    )


def views(stage: str) -> str:
    """The views that a file of `replearn.views` defines, with their fields."""
    module = import_module(f"replearn.views.{stage}")
    named = import_module("replearn.views").__all__
    found = [cls for name, cls in vars(module).items() if name in named and inspect.isclass(cls)]
    own = [cls for cls in found if cls.__module__ == module.__name__]
    return rows(("view", "what it does"), ((f"`{call(cls)}`", first_line(cls)) for cls in own))


def call(cls: type[Any]) -> str:
    """A class with its fields as one would write them: `Flip(probability=0.5)`."""
    parts = []
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.default is inspect.Parameter.empty:
            parts.append(
                f"*{parameter.name}" if parameter.kind is parameter.VAR_POSITIONAL else parameter.name
            )
        else:
            value = parameter.default
            parts.append(f"{parameter.name}={round(value, 3) if isinstance(value, float) else value}")
    return f"{cls.__name__}({', '.join(parts)})"


def encoders() -> str:
    """Our encoders by name, with their size for the built-in digits."""
    from replearn.data import describe, load_data
    from replearn.encoders import ENCODERS, make_encoder

    digits = describe(load_data("digits"))
    made = ((name, make_encoder(name, digits)) for name in ENCODERS)
    return rows(
        ("name", "network", "`dim`", "parameters", "what"),
        (
            (
                f"`{name}`",
                f"`{type(encoder.body).__name__}`",
                encoder.dim,
                f"{sum(p.numel() for p in encoder.parameters()):,}",
                first_line(type(encoder.body)),
            )
            for name, encoder in made
        ),
    )


def objectives() -> str:
    """The objectives."""
    module = import_module("replearn.objectives")
    return rows(
        ("objective", "what it measures"),
        ((f"`{name}`", first_line(getattr(module, name))) for name in sorted(module.__all__)),
    )


def command_line() -> str:
    """What `replearn --help` shows."""
    from replearn.cli import help_text

    return f"```text\n{help_text()}\n```"


def reference(module: str) -> str:
    """The public names of a module, for mkdocstrings."""
    found = import_module(module)
    named = [(name, getattr(found, name)) for name in found.__all__]
    documented = [
        (name, thing) for name, thing in named if inspect.isclass(thing) or inspect.isroutine(thing)
    ]
    # Under their homes, since a name is documented where it is defined.
    ours = [
        f"::: {thing.__module__}.{name}"
        for name, thing in documented
        if thing.__module__.startswith("replearn")
    ]
    return "\n\n".join(sorted(ours, key=lambda line: line.rpartition(".")[2].lower()))


def files(package: str) -> str:
    """The files of a package without a list of public names, for mkdocstrings."""
    found = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    options = "    options:\n      show_root_heading: false\n      heading_level: 3"
    return "\n\n".join(f"## `{name}.py`\n\n::: {package}.{name}\n{options}" for name in found)


def decisions() -> list[Path]:
    """The decision records, in order."""
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))


def title(path: Path) -> str:
    """The heading of a record, without its number."""
    return re.sub(r"^#\s*\d*\.?\s*", "", path.read_text(encoding="utf-8").splitlines()[0])


def decision_list() -> str:
    """The decision records by title, with what was asked."""
    lines = []
    for path in decisions():
        asked = re.search(r"\*\*Question\.\*\*\s*(.+?)\n\n", path.read_text(encoding="utf-8"), re.DOTALL)
        lines.append(
            (f"[{path.name[:4]}]({path.name})", title(path), " ".join(asked[1].split()) if asked else "")
        )
    return rows(("record", "decision", "question"), lines)


def results(only: str | None = None) -> str:
    """All recorded measurements, each as its own program wrote it; or those of one file."""
    names = sorted({path.stem for path in RESULTS.glob("*.*") if path.suffix in (".md", ".json")})
    chosen = [name for name in names if only in (None, name)]
    if not chosen:
        return "!!! note\n    No result is recorded in `benchmarks/results/` yet. `make bench` records them."
    return "\n\n".join(result(name) for name in chosen)


def result(name: str) -> str:
    """One recorded measurement: its Markdown as written, one level deeper; or a comparison's scores."""
    page = RESULTS / f"{name}.md"
    if page.is_file():
        return re.sub(r"^(#{1,5} )", r"#\1", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    heading = str(content.get("facts", {}).get("title", name))
    return f"## {heading}\n\n{comparison(content)}"


def comparison(content: dict[str, Any]) -> str:
    """The table of an `evaluation.json`, and what it was made by."""
    import pandas as pd

    from replearn.report import table_rows, to_markdown

    scores = pd.DataFrame(content["scores"])
    table, note = to_markdown(scores), table_rows(scores).note
    facts = content.get("facts", {})
    versions = ", ".join(f"{name} {number}" for name, number in facts.get("versions", {}).items())
    told = [
        note,
        f"Repeat: `{' '.join(facts['command'])}`." if "command" in facts else "",
        f"Seeds: {', '.join(map(str, facts['seeds']))}; draws of labels: {facts['draws']}."
        if "seeds" in facts
        else "",
        f"Machine: {facts['machine']}; {versions}." if "machine" in facts else "",
    ]
    return f"{table}\n\n{' '.join(filter(None, told))}"


def demo_table() -> str:
    """The table of the demo, of the last recorded run."""
    path = RESULTS / f"{DEMO}.json"
    if not path.is_file():
        return "*Not recorded yet: `make demo` prints this table.*"
    return comparison(json.loads(path.read_text(encoding="utf-8")))


def fill_demo_table(text: str) -> str:
    """Text whose part between the two marks is the demo's table."""
    table = demo_table()
    return DEMO_TABLE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)


def picture(name: str) -> str:
    """A picture at the top of the docs, where it has been drawn."""
    return f"![{Path(name).stem}](images/{name}){{ .wide }}" if (DOCS / "images" / name).is_file() else ""


MAKERS: dict[str, Callable[..., str]] = {
    "codes": codes,
    "command_line": command_line,
    "datasets": datasets,
    "decisions": decision_list,
    "demo": demo_table,
    "disentanglement": disentanglement,
    "drawing": drawing,
    "drawings": drawings,
    "encoders": encoders,
    "episodes": episodes,
    "fields": fields,
    "files": files,
    "lectures": lectures,
    "listing": listing,
    "methods": methods,
    "objectives": objectives,
    "picture": picture,
    "quality": quality,
    "pretext": pretext,
    "sweep": sweep,
    "reference": reference,
    "results": results,
    "source": source,
    "views": views,
}


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(fill_demo_table(file.read_text(encoding="utf-8")), encoding="utf-8")
