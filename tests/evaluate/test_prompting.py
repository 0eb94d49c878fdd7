"""Few-shot prompting, by models of which it is known what they answer."""

import numpy as np
import pytest

from replearn.evaluate import few_shot

ANSWERS = ("bird", "fish")


class Copier:
    """Thinks the answer likely that follows the same word earlier in the prompt; is fond of one answer."""

    context = 60

    def __init__(self, fond=None):
        self.fond = fond
        self.prompts = []

    @property
    def own_tokenizer(self):
        return self

    def encode(self, texts):
        return [text.split() for text in texts]

    def token_log_likelihoods(self, texts):
        self.prompts += texts
        return [
            np.array([-1.0, self.answer(text), -3.0 * len(text)]) for text in texts
        ]  # the end is left out

    def answer(self, text):
        words = text.split()
        fond = 5.0 * (words[-1] == self.fond)
        if len(words) < 3:
            return fond
        asked = words[-3]
        shown = [words[i + 2] for i in range(len(words) - 3) if words[i] == asked]
        return fond + (2.0 * (shown[-1] == words[-1]) if shown else 0.0)


EXAMPLES, LABELS = ["wing", "fin", "beak", "gill"], np.array([0, 1, 0, 1])


def run(model, shots, **given):
    table = few_shot(
        model, EXAMPLES, LABELS, EXAMPLES, LABELS, answers=ANSWERS, template="{text} is {answer}",
        shots=shots, **given,
    )  # fmt: skip
    return table.set_index(["shots", "measure"])


def test_examples_help_who_reads_them():
    table = run(Copier(), (0, 4))
    assert table.loc[(0, "likelihood"), "mean"] == 0.5  # nothing to go by: always the first
    assert table.loc[(4, "likelihood"), "mean"] == 1.0
    assert table.loc[(4, "likelihood"), "draws"] == 3
    assert table.loc[(0, "likelihood"), "draws"] == 1


def test_what_is_likely_by_itself_is_taken_off():
    table = run(Copier(fond="fish"), (4,))
    assert table.loc[(4, "likelihood"), "mean"] == 0.5
    assert table.loc[(4, "likelihood gained"), "mean"] == 1.0


class Parrot(Copier):
    """Says what it heard last, and knows a little."""

    def answer(self, text):
        words = text.split()
        heard = next((word for word in reversed(words[:-1]) if word in ANSWERS), None)
        knows = {"wing": "bird", "beak": "bird", "fin": "fish", "gill": "fish"}
        return 5.0 * (words[-1] == heard) + (knows.get(words[-3]) == words[-1] if len(words) > 2 else 0.0)


def test_what_is_likely_after_these_examples_is_taken_off():
    table = few_shot(
        Parrot(), EXAMPLES, LABELS, EXAMPLES, LABELS, answers=ANSWERS, template="{text} is {answer}", shots=(1,),
        between=" ",
    ).set_index(["shots", "measure"])  # fmt: skip
    assert table.loc[(1, "likelihood"), "mean"] < 0.8
    assert table.loc[(1, "likelihood gained"), "mean"] == 1.0


def test_prompts_are_written_by_the_template():
    model = Copier()
    run(model, (2,), draws=1, between=" ; ")
    parts = model.prompts[0].split(" ; ")
    assert len(parts) == 3
    assert parts[-1] == "wing is bird"
    assert set(parts[:2]) <= {"wing is bird", "fin is fish", "beak is bird", "gill is fish"}
    assert model.prompts[1].endswith("wing is fish")
    n = len(EXAMPLES) * len(ANSWERS)
    assert len(model.prompts) == 2 * n
    empty = [
        " ; ".join([*prompt.split(" ; ")[:2], f" is {prompt.split()[-1]}"]) for prompt in model.prompts[:n]
    ]
    assert model.prompts[n:] == empty  # the same examples, and no text


def test_without_examples_nothing_is_told_once():
    model = Copier()
    run(model, (0,))
    assert model.prompts[-2:] == [" is bird", " is fish"]
    assert len(model.prompts) == 2 * len(EXAMPLES) + 2


def test_same_seed_same_prompts():
    first, again, other = Copier(), Copier(), Copier()
    run(first, (2,))
    run(again, (2,))
    run(other, (2,), random_state=1)
    assert first.prompts == again.prompts
    assert first.prompts != other.prompts


def test_prompts_beyond_the_context_are_counted():
    model = Copier()
    model.context = 12
    table = run(model, (1, 4))
    assert table.loc[(1, "likelihood"), "in context"] == 1.0
    assert table.loc[(4, "likelihood"), "in context"] == 0.0


def test_unlabelled_texts_are_neither_shown_nor_judged():
    model = Copier()
    few_shot(
        model, EXAMPLES, np.array([0, 1, -1, -1]), EXAMPLES, np.array([0, -1, -1, 1]),
        answers=ANSWERS, template="{text} is {answer}", shots=(2,), draws=1,
    )  # fmt: skip
    assert len(model.prompts) == 2 * 2 * 2
    assert not any("beak" in prompt for prompt in model.prompts)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"template": "{answer}: {text}"}, "end with {answer}"),
        ({"answers": ["one"]}, "at least two"),
        ({"shots": (5,)}, "between 0 and the 4 labelled examples"),
        ({"truth": np.full(4, -1)}, "all are -1"),
    ],
)
def test_what_can_not_be_asked_is_told(given, says):
    asked = {"answers": ANSWERS, "truth": LABELS} | given
    truth = asked.pop("truth")
    with pytest.raises(ValueError, match=says):
        few_shot(Copier(), EXAMPLES, LABELS, EXAMPLES, truth, **asked)
