"""What can't work is told in one line, which says what must hold, what came and what to do."""

import numpy as np
import pytest
import torch
from made_up import frozen, model, pairs, spans, tags, texts
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from replearn.data import as_samples
from replearn.methods.columns import STEPS
from replearn.transfer import FineTune


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"task": "clasify"}, "Did you mean 'classify'"),
        ({"trained": "frosen"}, "trained must be full, frozen or a number"),
        ({"trained": 0}, "trained must be full, frozen or a number"),
        ({"trained": 3}, "trained must be at most 2, the layers of the encoder; got 3"),
        ({"fresh_layers": 3}, "fresh_layers must be at most 2"),
        ({"fresh_layers": 1, "trained": "frozen"}, "fresh_layers must be 0 where the encoder is frozen"),
        ({"pooling": "max"}, "pooling must be one of"),
        ({"pairs": "apat"}, "Did you mean 'apart'"),
        ({"layer_decay": 0.0}, r"layer_decay must lie in \(0, 1\]"),
        ({"validation": 1.0}, "validation is a share"),
        ({"validation": 0.001}, r"validation must leave samples on both sides.* Raise it"),
        ({"validation": 0.999}, r"validation must leave samples on both sides.* Lower it"),
        ({"length": 2}, "length must be at least 4 tokens"),
        ({"encoder": "bert_tny"}, "Nearest: bert_tiny"),
        ({"encoder": "/tmp"}, "encoder must be a run folder"),
        ({"encoder": np.zeros(3)}, "encoder must be a fitted method"),
    ],
)
def test_fields(fields, told):
    made = model()
    vars(made).update(fields)  # the constructor's types are checked in tests alone
    with pytest.raises(ValueError, match=told) as caught:
        made.fit(*texts(40))
    assert "\n" not in str(caught.value)


def test_a_method_without_an_encoder_is_called_by_its_own_name():
    made = model()
    made.encoder = Pipeline([(STEPS[0], FunctionTransformer()), (STEPS[1], PCA(2))])
    with pytest.raises(ValueError, match=r"PCA is none\. Take a method of networks"):
        made.fit(*texts(40))


@pytest.mark.parametrize(
    ("task", "X", "y", "told"),
    [
        ("classify", ["a b", "c d"], ["x", "x"], "at least 2 classes; got only 'x'"),
        ("classify", ["a b", "c d"], [None, -1], "at least 2 classes; got none"),
        ("classify", ["a b", "c d"], ["x"], "one label per sample; got 1 for 2"),
        ("classify", ["a b", "c d"], ["x", 1], "all names or all numbers"),
        ("classify", ["a b", "c d"], [0.5, 1], "use task='regress'"),
        ("classify", ["a b", "c d"], None, "y must hold the answers"),
        ("regress", ["a b", "c d"], [1.0, 1.0], "at least 2 numbers that differ"),
        ("regress", ["a b", "c d"], ["x", "y"], "use task='classify'"),
        ("regress", ["a b", "c d"], [1.0, np.inf], "finite numbers"),
        ("pair", ["a b", "c d"], [0, 1], "pairs of texts, .*; number 0 is 'a b'"),
        ("pair", [("a", "b", "c")], [0], "pairs of texts"),
        ("pair", as_samples(["a b", "c d"]), [0, 1], "pairs of texts, .*; got single samples"),
        ("tag", as_samples(["a b", "c d"]), [["x", "y"]] * 2, "lists of words; got whole samples"),
        ("tag", ["a b", "c d"], [["x", "y"]] * 2, "lists of words; number 0 is 'a b'"),
        ("tag", [["a", "b"], ["c"]], [["x", "y"], ["x", "y"]], "sentence 1 has 1 words and 2 tags"),
        ("tag", [["a", "b"]], [["x", "x"]], "at least 2 classes"),
        ("span", ["a b", "c d"], [[], [(1, 9, "x")]], "text 1 has 3 characters and a span from 1 to 9"),
        ("span", ["a b", "c d"], [[], [(2, 2, "x")]], "text 1 has 3 characters"),
        ("span", ["a b", "c d"], [[], [(1, "x")]], r"\(start, end, label\); text 1"),
        ("span", ["a b", "c d"], [[], []], "at least 1 classes; got none"),
    ],
)
def test_data(task, X, y, told):
    with pytest.raises(ValueError, match=told) as caught:
        frozen(task=task, batch_size=1).fit(X, y)
    assert "\n" not in str(caught.value)


def test_a_label_never_seen_counts_as_wrong():
    found = frozen(epochs=2).fit(*texts(40))
    X, y = texts(20, seed=1)
    assert found.scores(X, ["never"] * 20) == {"accuracy": 0.0, "macro_f1": 0.0}
    assert found.score(X, [y[0], *["never"] * 19]) <= 0.05
    tagged = frozen(task="tag", epochs=2).fit(*tags(40))
    assert tagged.scores(tags(20)[0], [["B-never"] * 6] * 20)["entity_f1"] == 0.0
    spanned = frozen(task="span", epochs=2).fit(*spans(40))
    assert spanned.score(["good cat"], [[(0, 4, "never")]]) == 0.0


@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")
def test_texts_too_long_and_words_without_a_token_are_answered():
    found = frozen(task="tag", epochs=2).fit(*tags(40))
    long = ["tree"] * 50
    assert [len(answer) for answer in found.predict([long, [""], [], ["\u200b", "good"]])] == [50, 1, 0, 2]
    assert found.predict([long])[0][-1] == "O"
    spanned = frozen(task="span", epochs=2).fit(*spans(40))
    assert len(spanned.predict([" ".join(long), "good"])) == 2


def test_others_need_other_encoders():
    rows = torch.rand(16, 1, 8, 8)
    with pytest.raises(ValueError, match="pooling is for encoders of texts"):
        FineTune(encoder="cnn", pooling="mean").fit(rows, [0, 1] * 8)
    found = FineTune(encoder="cnn", epochs=1).fit(rows, [0, 1] * 8)
    with pytest.raises(ValueError, match="samples must be like those"):
        FineTune(encoder=found, epochs=1).fit(torch.rand(16, 1, 9, 9), [0, 1] * 8)
    with pytest.raises(ValueError, match="samples must be like those of fit"):
        found.predict(["a text"])


def test_nothing_is_answered_before_fit(tmp_path):
    with pytest.raises(NotFittedError, match="Call fit"):
        model().predict(["a"])
    with pytest.raises(ValueError, match="a run folder must hold"):
        FineTune.load(tmp_path)
    found = frozen(epochs=1).fit(*texts(40))
    with pytest.raises(ValueError, match="at least one answer"):
        found.score(texts(2)[0], [None, None])
    assert pairs(2)[1] in ([0, 1], [1, 0])
