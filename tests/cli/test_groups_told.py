"""Where samples are of groups, the split and the table say of how many."""

import numpy as np
import pandas as pd


def test_a_table_names_the_groups_of_its_test_samples(command, tmp_path):
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(draw.normal(size=(120, 4)), columns=list("abcd"))
    rows["label"], rows["who"] = draw.integers(0, 2, 120), [f"p{i % 6}" for i in range(120)]
    rows.to_csv(tmp_path / "t.csv", index=False)
    options = ("--labels", "label", "--groups", "who", "--draws", "1", "--run", "c")
    answer = command("compare", "pca", "--data", tmp_path / "t.csv", *options)
    assert answer.code == 0
    told = " ".join((answer.out + answer.err).split())
    assert "split at random, by groups: 80 samples to train, 40 to test of 2 groups (p4, p5)" in told
    assert "PCA keeps all 4 directions, so that its scores are nearly those of raw input" in told
    assert "over 40 test samples of 2 groups" in told
    assert "Samples of a group are taken as independent" in told
    again = " ".join(command("report", "c").err.split())
    assert "Traceback" not in again
    assert "test samples of 2 groups" in (tmp_path / "c" / "report.html").read_text()
