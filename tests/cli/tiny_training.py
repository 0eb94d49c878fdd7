"""Options with which a training takes a second or two: `fit simclr DATA` with these."""

TINY = ["--encoder", "cnn", "--hidden", "8", "--dim", "4", "--batch-size", "32", "--precision", "32-true"]
