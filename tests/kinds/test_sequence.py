"""Sequences of symbols: read from FASTA, FASTQ, tables and lists; cleaned, with what was changed told by numbers."""

import gzip
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data, read_alike, split
from replearn.data.alphabets import ALLOWED, COMPLEMENT, STANDS_FOR, reverse_complement
from replearn.data.kinds import KINDS, Sequences
from replearn.data.kmers import joined, kmers
from replearn.data.samples import Batch
from replearn.data.sequences import SequenceSamples, Symbols
from replearn.data.tokenizer import SPACED, SPECIALS, Tokenizer, safe_tokenizer
from replearn.methods import find_method, registry
from replearn.methods.needs import needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import Chain, default_views, named_views, view_from_json, view_to_json
from replearn.views.kinds.sequence import SequenceViews
from replearn.views.sequences import ReverseComplement, Stretch, Substitute

pytest.importorskip("tokenizers")

MADE = [
    ReverseComplement(),
    Stretch(0.3, 0.9),
    Stretch(0.3, 0.9, 3),
    Substitute(0.3, "ACGT"),
    Substitute(0.3),
]
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("sequence")]
MOLECULES = ["c1ccccc1O", "CCO", "Cc1ccccc1", "C1CCCCC1", "OC1CCCCC1", "N#C"]


def made_genes(n: int, length: int = 60) -> list[str]:
    """Sequences of three classes, told apart by which letters are frequent."""
    draw = np.random.default_rng(0)
    frequent = ("A", "C", "G")
    return ["".join(draw.choice(list("ACGT" + 4 * frequent[i % 3]), size=length)) for i in range(n)]


def written(path: Path, genes: list[str], *, label: str = "", width: int = 50) -> Path:
    lines = []
    for number, gene in enumerate(genes):
        lines.append(f">g{number}{label}")
        lines += [gene[start : start + width] for start in range(0, len(gene), width)]
    packed = path.suffix == ".gz"
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


@pytest.fixture
def genes() -> SequenceSamples:
    return as_samples(made_genes(48), np.arange(48) % 3, kind="sequence")


def read(data, **options):
    """Samples, and the one line that was told of them."""
    with pytest.warns(DataWarning) as told:
        samples = as_samples(data, **options)
    assert len(told) == 1
    return samples, str(told[0].message)


def texts(samples) -> list[str]:
    return list(samples[np.arange(len(samples))].x)


# Files


def test_fasta_plain_and_packed(tmp_path):
    plain = as_samples(written(tmp_path / "a.fasta", made_genes(5)))
    packed = as_samples(written(tmp_path / "a.fa.gz", made_genes(5)))
    assert texts(plain) == texts(packed) == made_genes(5)
    assert (plain.kind, plain.shape, list(plain.names)) == ("sequence", (), [f"g{i}" for i in range(5)])
    assert plain.labels is None
    assert plain.details == {"alphabet": "dna", "tokens": "kmers", "k": 3, "stride": 3}
    assert plain.fingerprint() == as_samples(tmp_path / "a.fasta").fingerprint() == packed.fingerprint()


def test_windows_line_ends_comments_and_blank_lines(tmp_path):
    (tmp_path / "a.fna").write_bytes(
        b"; an old comment\r\n>a one\r\nACGT\r\n\r\nAC\r\n;more\r\n>b\r\nGGN\r\n"
    )
    assert texts(as_samples(tmp_path / "a.fna")) == ["ACGTAC", "GGN"]


def test_headers_tell_classes_and_groups(tmp_path):
    (tmp_path / "a.fasta").write_text(
        '>a class=x group=1\nACGT\n>b [label=y] [family=2]\nACGG\n>c group="of two" class=x\nACGA\n>d\nACCC\n'
    )
    samples = as_samples(tmp_path / "a.fasta")
    assert (samples.classes, samples.labels.tolist()) == (("x", "y"), [0, 1, 0, -1])
    assert samples.groups.tolist() == ["1", "2", "of two", ""]


def test_groups_stay_on_one_side(tmp_path):
    genes = made_genes(30)
    (tmp_path / "a.fasta").write_text(
        "".join(f">g{i} group={i // 3}\n{gene}\n" for i, gene in enumerate(genes))
    )
    samples = as_samples(tmp_path / "a.fasta")
    for seed in range(3):
        train, test = split(samples, test=0.3, random_state=seed)
        assert not {*train.groups} & {*test.groups}
        assert len(train) + len(test) == 30


def test_a_file_of_labels(tmp_path):
    written(tmp_path / "a.fasta", made_genes(4), label=" class=no group=no")
    frame = {"name": ["g3", "g0", "g1", "g2"], "label": ["u", "v", "u", "v"], "who": ["p", "q", "p", "q"]}
    pd.DataFrame(frame).to_csv(tmp_path / "labels.csv", index=False)
    samples = as_samples(tmp_path / "a.fasta", tmp_path / "labels.csv", groups="who")
    assert (samples.classes, samples.labels.tolist()) == (("u", "v"), [1, 0, 1, 0])
    assert samples.groups.tolist() == ["q", "p", "q", "p"]


def test_lower_case_gaps_and_ambiguity_codes(tmp_path):
    (tmp_path / "a.fasta").write_text(
        ">a\nacgtn\n>b\nAC--GT*\n>c\nRYSWKMBDHVN\n>d\nACGTACGTACGTACGTACGTACGTACGTACGT\n"
    )
    samples, line = read(tmp_path / "a.fasta", kind="sequence:alphabet=dna")
    assert texts(samples)[:3] == ["ACGTN", "ACGT", "RYSWKMBDHVN"]
    assert line.endswith("gaps are left out of 1 sequences")
    again, same = read(tmp_path / "a.fasta", kind="sequence:alphabet=dna")  # from the cache
    assert (texts(again), same) == (texts(samples), line)


def test_stops_of_proteins(tmp_path):
    (tmp_path / "a.faa").write_text(">a\nMKLV*\n>b\nMK*LVW\n>c\nM-KLVX\n")
    samples, line = read(tmp_path / "a.faa")
    assert samples.details["alphabet"] == "protein"
    assert texts(samples) == ["MKLV", "MK*LVW", "MKLVX"]
    assert "gaps and stops at the end are left out of 2 sequences" in line


def test_records_that_are_empty_strange_or_named_alike(tmp_path):
    (tmp_path / "a.fasta").write_text(
        ">a\nACGT\n>b\n>c\n---\n>a\nACGG\n>d\nAC1T\n>\nACCA\n" + ">e\nACGTACGT\n" * 3
    )
    samples, line = read(tmp_path / "a.fasta")
    assert texts(samples) == ["ACGT", "ACGG", "ACCA", *["ACGTACGT"] * 3]
    assert list(samples.names) == ["a", "a (2)", "", "e", "e (2)", "e (3)"]
    assert dict(samples.skipped) == {"b": "is empty", "c": "is empty", "d": "has '1', no letters of dna"}
    assert "3 records were left out: 'b' is empty; 'c' is empty; 'd' has '1', no letters of dna" in line
    assert "3 records have the name of an earlier one" in line
    with pytest.raises(ValueError, match=r"strict: .*3 records were left out"):
        as_samples(tmp_path / "a.fasta", strict=True)


def test_fastq(tmp_path):
    content = "".join(f"@r{i} x\n{gene}\n+\n{'I' * len(gene)}\n" for i, gene in enumerate(made_genes(4)))
    (tmp_path / "a.fastq.gz").write_bytes(gzip.compress(content.encode()))
    samples = as_samples(tmp_path / "a.fastq.gz")
    assert (texts(samples), list(samples.names)) == (made_genes(4), ["r0", "r1", "r2", "r3"])


BROKEN = {
    "short.fastq": b"@a\nACGT\n+\nII\n",
    "cut.fastq": b"@a\nACGT\n+\nIIII\n@b\nACG",
    "words.fasta": b"hello\n",
    "cut.fasta.gz": gzip.compress(b">a\nACGT\n" * 999)[:-9],
    "no.fasta.gz": b">a\nACGT\n",
}


def test_broken_files_are_left_out_and_named(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "good.fasta", made_genes(3))
    for name, content in BROKEN.items():
        (tmp_path / "one" / name).write_bytes(content)
    samples, line = read(tmp_path)
    assert (len(samples), samples.classes, samples.labels.tolist()) == (6, ("one", "two"), [0] * 3 + [1] * 3)
    assert {name.removeprefix("one/") for name, _ in samples.skipped} == set(BROKEN)
    assert dict(samples.skipped)["one/short.fastq"] == "has 2 qualities of 4 letters in record 1"
    assert dict(samples.skipped)["one/words.fasta"] == "begins with 'hello', neither > nor @"
    assert "5 records were left out" in line or "5 files" in line
    assert list(samples.names)[3] == "g0 (2)"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_alone_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(
        ValueError, match="must hold sequences, FASTA or FASTQ; none of 1 files can be read"
    ) as raised:
        as_samples(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "a.fasta").write_text("")
    with pytest.raises(ValueError, match="must hold at least one text"):
        as_samples(tmp_path / "a.fasta")


def test_a_zip_and_what_is_no_folder_of_sequences(tmp_path):
    written(tmp_path / "a.fasta", made_genes(3))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.fasta", "in/a.fasta")
    assert texts(as_samples(tmp_path / "a.zip")) == made_genes(3)
    (tmp_path / "notes.txt").write_text("hello")
    assert as_samples(tmp_path).kind == "text"
    assert as_samples(tmp_path, kind="sequence").kind == "sequence"


def test_long_records_become_several(tmp_path, monkeypatch):
    monkeypatch.setattr("replearn.data.sequence_files.LONGEST", 25)
    samples, line = read(written(tmp_path / "a.fasta", made_genes(2), label=" group=1"))
    assert [len(text) for text in texts(samples)] == [25, 25, 10] * 2
    assert list(samples.names) == ["g0"] * 3 + ["g1"] * 3
    assert "2 texts are longer than 25 bytes" in line


# Tables and lists


def test_a_column_of_a_table(tmp_path):
    frame = pd.DataFrame({"smiles": [*MOLECULES, None], "label": list("abababa"), "who": list("ppqqrrs")})
    for data in (frame, tmp_path / "a.csv"):
        frame.to_csv(tmp_path / "a.csv", index=False)
        samples, line = read(data, kind="sequence", groups="who")
        assert texts(samples) == MOLECULES
        assert samples.details == {"alphabet": "smiles", "tokens": "characters", "k": 3, "stride": 3}
        assert samples.labels.tolist() == [0, 1] * 3
        assert samples.groups.tolist() == list("ppqqrr")
        assert "1 records were left out" in line
    named = frame.rename(columns={"smiles": "what"})
    with pytest.raises(
        ValueError, match="must have a column sequence, smiles, seq, text, or text= must name"
    ):
        as_samples(named, kind="sequence")
    assert len(read(named, kind="sequence", text="what")[0]) == 6
    with pytest.raises(ValueError, match="columns and drop are for tables of features"):
        as_samples(frame, kind="sequence", drop=["who"])


def test_labels_follow_what_is_left_of_a_list():
    samples, line = read(["ACGT", "", "ACGG"], labels=["x", "y", "z"], kind="sequence")
    assert [samples.classes[label] for label in samples.labels] == ["x", "z"]
    assert line == "the sequences: 1 records were left out: 'number 1' is empty"


def test_scaffolds_are_groups():
    pytest.importorskip("rdkit")
    samples, line = read([*MOLECULES, "C(C"], kind="sequence:groups=scaffold")
    assert samples.groups.tolist() == ["c1ccccc1", "", "c1ccccc1", "C1CCCCC1", "C1CCCCC1", ""]
    assert "'number 6' is no molecule that rdkit reads" in line


@pytest.mark.parametrize(
    ("data", "alphabet"),
    [
        (["ACGT", "acgn"], "dna"),
        (["ACGU"], "rna"),
        (["MKLVW"], "protein"),
        (["CC(=O)O"], "smiles"),
        (["e4 e5 Nf3!"], "any"),
        (["ACG-T"], "dna"),
    ],
)
@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")
def test_alphabets_are_told_by_letters(data, alphabet):
    assert as_samples(data, kind="sequence").details["alphabet"] == alphabet


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (["ACGT"], "sequence:alphabet=dan", "alphabet of sequence must be one of auto, dna, .*; got 'dan'"),
        (["ACGT"], "sequence:tokens=words", "tokens of sequence must be one of auto, characters, kmers, bpe"),
        (["ACGT"], "sequence:k=0", "k of sequence must be at least 1"),
        (["ACGT"], "sequence:lenght=2", "it has alphabet, tokens, k, stride, groups"),
        (["ACGT"], "sequence:alphabet=dna,groups=scaffold", "only molecules have scaffolds"),
        (["", " "], "sequence", "must hold at least one sequence"),
        ([3], "sequence", "sequences must be strings; number 0 is int"),
        (3, "sequence", "sequences must be a list of strings; got int"),
        ("nowhere.fasta", "sequence", "sequences must be a FASTA or FASTQ file"),
        ("digits8x8", "sequence", "kind must be what the data are"),
    ],
)
@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")
def test_what_is_no_sequence_is_an_error_in_a_line(data, kind, says):
    with pytest.raises(ValueError, match=says) as raised:
        as_samples(data, kind=kind)
    assert "\n" not in str(raised.value)


# Tokens


@pytest.mark.parametrize("k", [1, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_kmers_by_hand(k, stride):
    text = "ATGACCGATTA"
    found = kmers(text, k, stride)
    for place, one in enumerate(found):
        assert one == text[place * stride : place * stride + k]
    if stride <= k:
        assert joined(found, k, stride) == text or stride > 1
    assert all(len(one) == k for one in found) or stride >= k
    assert kmers("", k, stride) in ([], [""])


@pytest.mark.parametrize("tokens", ["characters", "kmers", "kmers,k=4,stride=1", "bpe"])
def test_tokens_are_a_setting_and_come_back(tokens):
    samples = as_samples(made_genes(12), kind=f"sequence:tokens={tokens}")
    tokenizer = samples.tokenizer
    text = made_genes(12)[3]
    ids = tokenizer.encode([text, "N"])
    assert tokenizer.decode(ids[0]) == text
    assert len(ids[1]) >= 1
    assert safe_tokenizer(tokenizer.json, "here").encode([text]) == ids[:1]
    assert len(tokenizer.words) == tokenizer.size
    again = as_samples(made_genes(3), like=describe(samples))
    assert again.details == samples.details


def test_words_are_frequent_kmers_in_order():
    tokenizer = as_samples(["ATGATGACC", "CCC"], kind="sequence:tokens=kmers").tokenizer
    assert tokenizer.words == [*SPECIALS, "ATG", "ACC", "CCC"]
    assert tokenizer.encode(["CCCATGTTT"], framed=True) == [[2, 7, 5, 1, 3]]


@pytest.mark.parametrize("said", ['"x"', "[0, 1]", "[99, 1]", "[1.5, 1]", "[3]"])
def test_a_stranger_can_not_ask_for_any_kmers(said):
    content = json.loads(as_samples(["ATG"], kind="sequence:tokens=kmers").tokenizer.json)
    with pytest.raises(ValueError, match="tokenizer"):
        safe_tokenizer(json.dumps(content | {SPACED: json.loads(said)}), "there")
    assert Tokenizer(json.dumps(content)).kmers == (3, 3)


def test_a_part_has_tokens_of_its_own(genes):
    some = genes.subset(np.arange(1))
    assert some.tokenizer.size < genes.tokenizer.size
    twice = genes.subset(np.arange(9)).subset(np.array([2, 5]))
    assert texts(twice) == [made_genes(9)[2], made_genes(9)[5]]
    assert twice.labels.tolist() == [2, 2]
    assert twice.details == genes.details
    assert (
        twice.content_hash()
        == as_samples([made_genes(9)[2], made_genes(9)[5]], kind="sequence").content_hash()
    )


# Content and what is computed by hand


def test_rows_are_shares_of_letters():
    found = Symbols(["AAC", "é"]).flat()
    assert found.shape == (2, 130)
    assert found[0, [ord("A"), ord("C")]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found[1, 128] == 1
    assert type(Symbols(["A", "C"])[1:]) is Symbols


def test_features_by_hand():
    room = KINDS["sequence"]
    codons = room.features(as_samples(["ATGATGACC", "ATGNNNA"], kind="sequence"))
    assert codons.shape == (2, 64)
    np.testing.assert_allclose(sorted(codons[0])[-3:], np.array([0, 1, 2]) / 5**0.5, atol=1e-6)
    assert codons[1].sum() == 1
    both = room.features(as_samples(["ATGAC", "GTCAT", "A"], kind="sequence:tokens=characters,alphabet=dna"))
    assert both.shape == (3, 136)
    np.testing.assert_array_equal(both[0], both[1])  # one is the other's reverse complement
    assert not both[2].any()
    grams = room.features(as_samples(["CCO", "cco"], kind="sequence:alphabet=smiles"))
    assert grams.shape == (2, 4096)
    assert not (grams[0] * grams[1]).any()  # case tells aromatic atoms


@pytest.mark.parametrize("name", ["resfinder", "molecules"])
def test_built_in_sets(name):
    samples = load_data(name)
    train, test = load_data(name, split="train"), load_data(name, split="test")
    assert not ({*train.groups} & {*test.groups}) - {""}
    assert len(set(texts(samples))) >= len(samples) - 5
    share = np.bincount(test.labels) / np.bincount(samples.labels)
    assert share.min() > 0.1
    assert share.max() < 0.3
    features = KINDS["sequence"].features(train)
    means = np.stack([features[train.labels == label].mean(0) for label in range(len(samples.classes))])
    found = np.square(KINDS["sequence"].features(test)[:, None] - means).sum(2).argmin(1)
    rates = [(found == test.labels)[test.labels == label].mean() for label in range(len(samples.classes))]
    assert np.mean(rates) > 0.35


def test_what_is_left_out_of_resfinder():
    samples = load_data("resfinder")
    assert np.bincount(samples.labels).max() == 300
    groups = [len({*samples.groups[samples.labels == label]}) for label in range(10)]
    assert min(groups) >= 9
    assert load_data("molecules").targets.names == ("logp", "tpsa", "weight")


# Views


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, genes):
    batch = genes[np.arange(10)]
    whole, again, other = run(view, batch)[0].x, run(view, batch)[0].x, run(view, batch, 1)[0].x
    assert whole == again != other
    assert type(whole) is Symbols
    assert list(batch.x) == made_genes(10)
    equal = run(view, batch.with_x(Symbols([batch.x[0]] * 10)))[0].x
    assert len(set(equal)) > 1
    for start, stop in ((0, 3), (3, 10)):
        assert run(view, batch.rows(start, stop))[0].x == whole[start:stop]
    assert view_from_json(view_to_json(view)) == view
    assert all(run(view, batch.with_x(Symbols(["A"] * 10)))[0].x)
    assert run(view, batch.with_x(Symbols([""] * 10)))[0].x == ("",) * 10


def test_the_other_strand():
    assert reverse_complement("AACGTN") == "NACGTT"
    assert reverse_complement("AACGU", "rna") == "ACGUU"
    for letter, bases in STANDS_FOR.items():
        other = reverse_complement(letter)
        assert sorted(STANDS_FOR[other]) == sorted(STANDS_FOR[reverse_complement(base)] for base in bases)
        assert letter == "U" or reverse_complement(other) == letter
    assert {*COMPLEMENT["dna"][0]} == ALLOWED["dna"]
    batch = as_samples(["AACG", "RYTT"], kind="sequence:alphabet=dna")[np.arange(2)]
    assert run(ReverseComplement(1.0), batch)[0].x == ("CGTT", "AARY")
    with pytest.raises(ValueError, match="only dna and rna have another strand; got 'protein'"):
        ReverseComplement(alphabet="protein")


def test_stretches_keep_the_frame():
    text = "".join(f"{i:03d}" for i in range(50))
    batch = as_samples([text] * 200, kind="sequence:alphabet=any")[np.arange(200)]
    seen = run(Stretch(0.2, 0.6, 3), batch)[0].x
    for one in seen:
        parts = [int(one[start : start + 3]) for start in range(0, len(one), 3)]
        assert parts == list(range(parts[0], parts[0] + len(parts)))
        assert 10 <= len(parts) <= 30
    assert {one[:3] for one in seen} >= {"000", "020"}
    assert max(int(one[-3:]) for one in seen) == 49


def test_as_many_letters_are_exchanged_as_is_said():
    batch = as_samples(["A" * 5000] * 4, kind="sequence:alphabet=dna")[np.arange(4)]
    seen = run(Substitute(0.2, "ACGT"), batch)[0].x
    shares = [np.mean([letter != "A" for letter in one]) for one in seen]
    np.testing.assert_allclose(shares, 0.2 * 3 / 4, atol=0.02)
    own = run(Substitute(0.5), batch.with_x(Symbols(["AC" * 50] * 4)))[0].x
    assert {letter for one in own for letter in one} == {"A", "C"}


@pytest.mark.parametrize("split", SequenceViews.splits)
@pytest.mark.parametrize("preset", ["stretches", "strands"])
def test_every_split_of_every_preset(split, preset, genes):
    made = named_views(preset, genes, split).fitted(genes)
    assert all(len(seen) == 10 and all(seen.x) for seen in made(genes[np.arange(10)]))
    assert view_from_json(view_to_json(made)) == made


def test_presets_fit_the_alphabet(genes):
    assert default_views(genes).view == Chain(Stretch(0.5, 1.0, 3), Substitute(0.05, "ACGT"))
    reads = as_samples(made_genes(9), kind="sequence:k=4")
    assert default_views(reads).view == Chain(
        ReverseComplement(0.5, "dna"), Stretch(0.5, 1.0, 4), Substitute(0.05, "ACGT")
    )
    molecules = as_samples(MOLECULES, kind="sequence")
    assert default_views(molecules).view == Chain(Stretch(0.5, 1.0, 1), Substitute(0.05, ""))


# Methods and commands


def test_the_methods_of_texts_are_served():
    texts_too = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("text")]
    assert texts_too == SERVED
    assert {"bert", "gpt", "simcse", "word2vec", "simclr", "vicreg", "byol", "supcon", "supervised"} <= {
        *SERVED
    }


@pytest.mark.parametrize("name", one_of_each(SERVED, fast=("bert", "simclr", "word2vec", "supervised")))
def test_every_method_whose_needs_are_met_learns_from_sequences(genes, name, tmp_path):
    if name in ("bert", "gpt", "modernbert", "roberta"):
        pytest.importorskip("transformers")
    entry = registry()[name]
    if name == "multitask":
        samples = as_samples(genes, {"target": np.arange(48) % 3})
    else:
        samples = labelled_for(entry.cls, genes)
    given = {"encoder": "words", "batch_size": 16, "epochs": 2, "window": 8}
    given |= {"tokenizer": entry.cls.tokenizer, "vocabulary": 200} if hasattr(entry.cls, "tokenizer") else {}
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    loaded = replearn.load(tmp_path / "run")
    assert loaded.samples_.details == samples.details
    np.testing.assert_array_equal(loaded.transform(made_genes(48)), found)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("bert", {"tokenizer": "bpe"}),
        ("gpt", {"lowercase": True}),
        ("word2vec", {"lowercase": False}),
        ("ngram", {"tokenizer": "words"}),
    ],
)
def test_tokens_are_no_choice_of_the_method(genes, name, given):
    with pytest.raises(ValueError, match=r"must be left out .* sequences say how they become tokens"):
        find_method(name).cls(**given).prepare(genes)


def test_a_table_is_read_again_as_a_run_read_it(tmp_path):
    frame = pd.DataFrame({"smiles": MOLECULES * 4})
    frame.to_csv(tmp_path / "a.csv", index=False)
    samples = as_samples(tmp_path / "a.csv", kind="sequence:tokens=kmers,k=2,stride=1")
    again = read_alike(tmp_path / "a.csv", describe(samples))
    assert (again.details, again.fingerprint()) == (samples.details, samples.fingerprint())


def test_the_command_line(tmp_path, capsys):
    written(tmp_path / "genes.fasta", made_genes(60))
    labels = pd.DataFrame({"name": [f"g{i}" for i in range(60)], "label": list("xyz") * 20})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    run_folder = str(tmp_path / "run")
    data = [str(tmp_path / "genes.fasta"), "--labels", str(tmp_path / "labels.csv")]
    options = ["--encoder", "words", "--epochs", "2", "--batch-size", "16"]
    assert main(["fit", "simclr", *data, "--run", run_folder, "--kind", "sequence:k=2", *options]) == 0
    assert json.loads((tmp_path / "run" / "method.json").read_text())["samples"]["details"]["k"] == 2
    assert main(["evaluate", run_folder, *data]) == 0
    assert "hand-made" in capsys.readouterr().out


def test_looks_and_kind():
    assert LOOKS["sequence"].text(as_samples(["ACGT"], kind="sequence"), 0) == "ACGT"
    assert as_samples(["ACGT"], kind=Sequences(tokens="bpe")).details["tokens"] == "bpe"


def test_scaffolds_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit.RDLogger", None)
    with pytest.raises(ValueError, match=r"pip install 'replearn\[molecules\]'"):
        as_samples(["CCO"], kind="sequence:alphabet=smiles,groups=scaffold")
