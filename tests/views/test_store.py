"""Views as JSON: what is refused. (The round trip of every view is in test_contract.)"""

import pytest

from replearn.views import Flip, Pair, View, view_from_json, view_to_json


class Mine(View):
    def __call__(self, batch):
        return batch


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"class": "Flipp"}, r"must name one of replearn's views; got 'Flipp'. Did you mean 'Flip'\?"),
        ({"class": "View"}, "must name one of replearn's views; got 'View'"),
        ({"class": "__import__('os')"}, "must name one of replearn's views"),
        ({}, "must name one of replearn's views; got None"),
        ({"class": ["Flip"]}, "must name one of replearn's views"),
        (
            {"class": "Flip", "probabilty": 0.5},
            r"Flip has no field 'probabilty'.*Did you mean 'probability'\?",
        ),
        ({"class": "Flip", "probability": 7.0}, "probability of Flip is a probability"),
        ({"class": "Pair", "view": {"class": "Flap"}}, "got 'Flap'"),
        ({"class": "Pair"}, "the stored fields of Pair"),
        ({"class": "Chain", "views": 3}, "the stored fields of Chain"),
    ],
)
def test_what_cannot_be_read(stored, message):
    with pytest.raises(ValueError, match=message):
        view_from_json(stored)


@pytest.mark.parametrize("view", [Mine(), Pair(Mine())])
def test_views_of_others_are_not_stored(view):
    with pytest.raises(ValueError, match="only replearn's own views can be stored"):
        view_to_json(view)


def test_a_class_of_ones_own_with_a_known_name_is_not_stored():
    with pytest.raises(ValueError, match="only replearn's own views can be stored"):
        view_to_json(type("Flip", (Flip,), {})())
