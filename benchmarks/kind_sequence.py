"""What representations of sequences are worth where relatives are kept apart: genes by drug, and water solubility.

    python benchmarks/kind_sequence.py                              resfinder, all rows
    python benchmarks/kind_sequence.py bert simclr --minutes 5
    python benchmarks/kind_sequence.py --data esol --csv delaney.csv   columns smiles and log_solubility; needs rdkit

`resfinder`: a quarter of the genes is the test part, families kept apart; balanced accuracy of a logistic regression on
rows that were scaled, with weights of classes, its penalty chosen by three folds of the training part, by families too.
`esol`: a fifth of the molecules is the test part, scaffolds kept apart; RMSE of a ridge regression, its penalty chosen
likewise. BERT learns from `molecules` and the training part; molecules of the test part are taken out.

`--minutes` is the CPU time of a training on one core, met by the pace of a few steps. Results:
`benchmarks/results/kind_sequence.json` and `kind_sequence.md`; a row that lies there is not measured again.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
import torch
from record import machine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import replearn
from replearn.data import Samples, load_data, split
from replearn.data.kinds import KINDS
from replearn.methods import find_method

MASKED = {"encoder": "bert_tiny", "share": 0.4, "dropout": 0.0, "learning_rate": 2e-3, "window": 64}
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "resfinder": {
        "bert": MASKED,
        "simclr": {"encoder": "words", "views": "stretches", "batch_size": 128},
        "simcse": {"encoder": "bert_tiny", "batch_size": 32},
        "word2vec": {"epochs": 20},
    },
    "esol": {"bert": MASKED},
}
UNTRAINED = {"untrained": "bert_tiny", "untrained words": "words"}
BY_HAND = {
    "resfinder": ("letters", "k-mers", "codons", *UNTRAINED),
    "esol": ("letters", "n-grams", "descriptors", "untrained"),
}
KEY = ("data", "row", "seed", "minutes")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another."""
    asked = parse()
    known = (*BY_HAND[asked.data], *METHODS[asked.data])
    wanted = (
        {
            "data": asked.data,
            "row": name,
            "seed": seed,
            "minutes": asked.minutes if name in METHODS[asked.data] else 0,
        }
        for seed in asked.seeds
        for name in asked.names or known
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("names", nargs="*", help="none: all of the data")
    parser.add_argument("--data", choices=METHODS, default="resfinder")
    parser.add_argument("--csv", type=Path, help="molecules with their solubility")
    parser.add_argument("--minutes", type=float, default=5.0)
    return parser.parse_args()


def command(asked: argparse.Namespace, row: Mapping[str, Any]) -> list[str]:
    csv = {"csv": asked.csv} if row["data"] == "esol" else {}
    options = {"data": row["data"], "minutes": row["minutes"], "seeds": row["seed"]}
    return rows.command_line(__file__, row["row"], **options, **csv)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(1)
    (name,), seed = asked.names, asked.seeds[0]
    train, test, more, judge = DATA[asked.data](asked, seed)
    began = time.process_time()
    steps = 0
    if name in METHODS[asked.data]:
        method = find_method(name).cls(**METHODS[asked.data][name], random_state=seed, device="cpu")
        method = within(method, more, 60 * asked.minutes)
        steps = int(method.history_.rows[-1].get("step", 0))
        x, y = method.transform(train), method.transform(test)
    elif name in UNTRAINED:
        method = (
            find_method("simclr").cls(encoder=UNTRAINED[name], random_state=seed, device="cpu").prepare(train)
        )
        x, y = method.transform(train), method.transform(test)
    else:
        x, y = by_hand(name, train), by_hand(name, test)
    used = time.process_time() - began
    return {**judge(x, y), "cpu_seconds": round(used), "steps": steps, "machine": machine()}


def within(method: Any, samples: Samples, seconds: float) -> Any:
    """The method, after as many epochs as take about so many seconds of CPU time."""
    if not hasattr(method, "max_minutes"):  # word vectors, which take few
        return method.fit(samples)
    fields = {one.name: getattr(method, one.name) for one in dataclasses.fields(method)}
    began = time.process_time()
    tried = type(method)(**fields | {"epochs": 1, "max_minutes": 0.2}).fit(samples)
    last = tried.history_.rows[-1]
    pace = (time.process_time() - began) / last["step"]  # what is done once is in it: a little too slow
    epochs = max(1, round(seconds / pace / last["planned"]))
    return type(method)(**fields | {"epochs": epochs}).fit(samples)


def by_hand(name: str, samples: Any) -> np.ndarray:
    """Features that nothing learned."""
    if name == "letters":
        return np.asarray(samples.flat())
    if name == "descriptors":
        return descriptors(list(samples.texts))
    if name == "k-mers":
        from replearn.data.kinds.sequence import K, counted_kmers

        return counted_kmers(samples.texts, "dna", K)
    found = KINDS[samples.kind].features(samples)  # codons of genes, n-grams of molecules
    assert found is not None
    return found


def descriptors(molecules: list[str]) -> np.ndarray:
    """Eight of rdkit's: logP, weight, rotatable bonds, polar surface, donors, acceptors, rings, share of aromatic."""
    from rdkit import Chem, RDLogger
    from rdkit.Chem import Crippen, rdMolDescriptors

    RDLogger.DisableLog("rdApp.*")
    found = []
    for smiles in molecules:
        one = Chem.MolFromSmiles(smiles)
        aromatic = sum(atom.GetIsAromatic() for atom in one.GetAtoms()) / one.GetNumAtoms()
        counts = (rdMolDescriptors.CalcNumRotatableBonds, rdMolDescriptors.CalcTPSA)
        counts += (rdMolDescriptors.CalcNumHBD, rdMolDescriptors.CalcNumHBA, rdMolDescriptors.CalcNumRings)
        weight = rdMolDescriptors.CalcExactMolWt(one)
        found.append([Crippen.MolLogP(one), weight, aromatic, *(count(one) for count in counts)])
    return np.array(found, dtype=np.float64)


Judge = Callable[[np.ndarray, np.ndarray], dict[str, float]]
Read = tuple[Samples, Samples, Samples, Judge]


def resfinder(asked: argparse.Namespace, seed: int) -> Read:
    """The training and the test part, what is learned from, and what judges rows."""
    samples = load_data("resfinder")
    train, test = split(samples, test=0.25, random_state=seed)

    def judge(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        model = LogisticRegression(max_iter=500, class_weight="balanced")
        folds, grid = StratifiedGroupKFold(3), {"logisticregression__C": np.logspace(-4, 0, 5)}
        found = chosen(model, grid, folds, "balanced_accuracy", x, train.labels, train.groups)
        score = balanced_accuracy_score(test.labels, found.predict(y))
        return {"score": round(float(score), 4), "folds": round(float(found.best_score_), 4)}

    return train, test, train, judge


def esol(asked: argparse.Namespace, seed: int) -> Read:
    """The same of molecules."""
    from rdkit import Chem

    frame = pd.read_csv(asked.csv)
    samples = replearn.as_samples(list(frame["smiles"]), kind="sequence:alphabet=smiles,groups=scaffold")
    assert len(samples) == len(frame)  # rdkit reads them all
    samples.names = [str(place) for place in range(len(samples))]
    train, test = split(samples, test=0.2, random_state=seed)
    pool = load_data("molecules")
    hidden = {Chem.CanonSmiles(smiles) for smiles in test.texts}
    left = [smiles for smiles in pool.texts if Chem.CanonSmiles(smiles) not in hidden]
    more = replearn.as_samples([*left, *train.texts], kind="sequence:alphabet=smiles")
    answers = [
        frame["log_solubility"].to_numpy(np.float64)[[int(name) for name in part.names or ()]]
        for part in (train, test)
    ]

    def judge(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        alone = np.char.add("\0", np.arange(len(train)).astype(str))
        groups = np.where(train.groups == "", alone, train.groups)
        grid = {"ridge__alpha": np.logspace(-1, 4, 11)}
        found = chosen(Ridge(), grid, GroupKFold(5), "neg_root_mean_squared_error", x, answers[0], groups)
        score = root_mean_squared_error(answers[1], found.predict(y))
        return {"score": round(float(score), 4), "folds": round(-float(found.best_score_), 4)}

    return train, test, more, judge


DATA = {"resfinder": resfinder, "esol": esol}


def chosen(model: Any, grid: Any, folds: Any, scoring: str, x: Any, y: Any, groups: Any) -> GridSearchCV:
    """A model on scaled rows, its penalty chosen by folds that keep groups together."""
    search = GridSearchCV(make_pipeline(StandardScaler(), model), grid, scoring=scoring, cv=folds)
    return search.fit(x, y, groups=groups)


def markdown(found: list[dict[str, Any]]) -> str:
    frame = pd.DataFrame(found)
    lines = []
    for (data, name, minutes), part in frame.groupby(["data", "row", "minutes"], sort=False):
        cells = [
            data,
            name,
            f"{minutes:g}",
            len(part),
            rows.cell(part["score"], spread=True),
            rows.cell(part["folds"]),
        ]
        lines.append([*map(str, cells), rows.cell(part["cpu_seconds"]), rows.cell(part["steps"])])
    head = ("data", "row", "minutes", "seeds", "test", "folds of training", "CPU s", "steps")
    told = [
        "Balanced accuracy on `resfinder` (more is better), RMSE on `esol` (less is better); families and scaffolds "
        "are kept apart."
    ]
    program = "python benchmarks/kind_sequence.py"
    return rows.page(
        "Sequences",
        program,
        told,
        rows.table(head, sorted(lines, key=lambda row: row[0])),
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
