"""Tokenizers: what goes in comes out, and the same texts give the same tokenizer in any process."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("tokenizers")

from replearn.data import tokenizer_training as module
from replearn.data import train_tokenizer
from replearn.data.tokenizer import FIRST, LAST, MASK, PAD, SPECIALS, UNKNOWN, Tokenizer, blank_tokenizer
from replearn.data.tokenizer_training import KINDS

TEXTS = [
    "To be, or not to be: that is the question.",
    "Whether 'tis nobler in the mind to suffer",
    "the slings and arrows of outrageous fortune,",
    "Żółć ☃ and naïve café",
]
# Not of the training: other scripts, control characters, signs of four bytes, spaces of any length.
STRANGE = ["", " ", "  two  spaces ", "tab\tand\nline\r\n\n", "日本語 текст", "𝄞🙂", "\x00\x7f", "[x]"]
EXACT = ("bpe", "bytes")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def trained(kind):
    return train_tokenizer(TEXTS * 5, kind, size=300)


def test_size_and_ids(kind, trained):
    assert trained.size <= 300
    assert trained.size == 261 or kind != "bytes"
    assert len(set(trained.words)) == len(trained.words) == trained.size
    ids = [i for row in trained.encode([*TEXTS, *STRANGE]) for i in row]
    assert min(ids) >= 0
    assert max(ids) < trained.size


def test_special_tokens(kind, trained):
    assert [trained.special(name) for name in SPECIALS] == [0, 1, 2, 3, 4]
    assert trained.words[:5] == list(SPECIALS)
    plain, framed = trained.encode(TEXTS), trained.encode(TEXTS, framed=True)
    assert framed == [[trained.special(FIRST), *ids, trained.special(LAST)] for ids in plain]
    assert not set(range(5)) & {i for row in plain for i in row}
    assert trained.decode(framed[0]) == trained.decode(plain[0])


def test_round_trip(kind, trained):
    """Bytes lose nothing, of any text (of composed characters); characters nothing that was trained on."""
    texts = [*TEXTS, *STRANGE] if kind in EXACT else TEXTS
    found = [trained.decode(ids) for ids in trained.encode(texts)]
    if kind in (*EXACT, "characters"):
        assert found == texts
    elif kind == "unigram":
        assert [text.replace(" ", "") for text in found] == [text.replace(" ", "") for text in texts]
    else:
        assert "".join(found[1].split()).replace("'", "") == "".join(TEXTS[1].split()).replace("'", "")


def test_characters_keep_line_ends():
    tokenizer = train_tokenizer(["a\nb\r\n c"], "characters")
    assert tokenizer.decode(tokenizer.encode(["c\n\r\nab"])[0]) == "c\n\r\nab"


def test_composed_characters_are_one(trained):
    assert trained.encode(["cafe\u0301"]) == trained.encode(["caf\u00e9"])


def test_blank_and_unknown_texts(kind, trained):
    assert trained.encode([""]) == [[]]
    assert trained.encode([]) == []
    (ids,) = trained.encode(["\u65e5\u672c\u8a9e"])
    assert ids
    unknown = trained.special(UNKNOWN)
    assert (unknown in ids) == (kind not in EXACT)
    if kind not in EXACT:
        assert set(ids) <= {unknown} or kind == "unigram"
        assert "\u65e5" not in trained.decode(ids)


def test_again_from_its_json(trained):
    again = Tokenizer(trained.json)
    assert again == trained
    assert again.encode([*TEXTS, *STRANGE]) == trained.encode([*TEXTS, *STRANGE])


SPAWNED = """
import hashlib, json, sys
from replearn.data.tokenizer_training import train_tokenizer
texts = json.loads(sys.stdin.read())
for kind in sys.argv[1:]:
    print(hashlib.sha256(train_tokenizer(texts, kind, size=400).json.encode()).hexdigest())
"""


def test_same_texts_same_tokenizer_in_any_process():
    kinds = [kind for kind in KINDS if kind != "unigram"]  # the library rounds differently each time
    texts = [f"{text} {i % 7}" for i in range(40) for text in TEXTS]
    own = [hashlib.sha256(train_tokenizer(texts, kind, size=400).json.encode()).hexdigest() for kind in kinds]
    told = subprocess.run(
        [sys.executable, "-c", SPAWNED, *kinds],
        input=json.dumps(texts),
        env=os.environ | {"PYTHONHASHSEED": "77"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == own


def test_lowercase_and_least():
    tokenizer = train_tokenizer(["Be be BE or"], "words", lowercase=True, least=2)
    assert tokenizer.words == [*SPECIALS, "be"]
    assert tokenizer.encode(["bE OR"]) == [[5, tokenizer.special(UNKNOWN)]]


def test_size_cuts_the_rarest():
    tokenizer = train_tokenizer(["a a a b b c"], "words", size=7)
    assert tokenizer.words == [*SPECIALS, "a", "b"]


def test_only_so_many_characters_are_read(monkeypatch):
    monkeypatch.setattr(module, "READ_FROM", 8)
    assert train_tokenizer(iter(["ab ab", "cd ef", "gh"]), "words").words == [*SPECIALS, "ab", "cd"]


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["a"], {"kind": "bpee"}, "must be one of bpe.*Did you mean 'bpe'"),
        (["a"], {"kind": "bpe", "size": 200}, "at least 261 tokens"),
        ([""], {"kind": "words"}, "occurs at least 1 times; got none"),
        (["a b"], {"kind": "words", "least": 2}, "occurs at least 2 times; got none"),
        ([], {"kind": "characters"}, "got none"),
    ],
)
def test_bad_trainings(texts, options, message):
    with pytest.raises(ValueError, match=message) as error:
        train_tokenizer(texts, **options)
    assert "\n" not in str(error.value)


def test_other_names_of_special_tokens():
    library = pytest.importorskip("tokenizers")
    words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 9}
    tokenizer = Tokenizer(library.Tokenizer(library.models.WordLevel(words, unk_token="<unk>")).to_str())
    assert [tokenizer.special(name) for name in (PAD, UNKNOWN, FIRST, LAST)] == [1, 3, 0, 2]
    assert tokenizer.size == 10
    assert tokenizer.words[9] == "a"
    with pytest.raises(ValueError, match=r"must have a token \[MASK\]"):
        tokenizer.special(MASK)


def test_a_blank_one_knows_its_size():
    assert blank_tokenizer(12).size == 12
