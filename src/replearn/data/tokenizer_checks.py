"""Whether a tokenizer that a stranger wrote may be let near texts.

Its patterns may take for ever, its replacements may fill memory, and the library ends the process at some faults. What
goes beyond the parts of common tokenizers is tried on short awkward texts, in a process of its own that may fail.
"""

import json
import re
import subprocess
import sys
from functools import lru_cache
from typing import Any

LARGEST_JSON = 2**27  # characters; the largest that are published have 35 million
LARGEST_ID = 10_000_000
SECONDS = 20
COMMON = frozenset(
    (
        *("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "BertNormalizer", "Strip"),
        *(
            "ByteLevel",
            "BertPreTokenizer",
            "Metaspace",
            "Whitespace",
            "WhitespaceSplit",
            "Punctuation",
            "Digits",
        ),
        *(
            "BertProcessing",
            "RobertaProcessing",
            "TemplateProcessing",
            "UnicodeScripts",
            "CharDelimiterSplit",
        ),
        *("WordPiece", "BPEDecoder", "ByteFallback", "Fuse", "CTC", "Sequence"),
    )
)
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
OWN_PATTERN = "(?m)."  # of tokenizers into characters
LONGEST_TEMPLATE = 16  # pieces
LENGTH = 2000  # characters of a text by which it is tried
GROWTH = 64  # tokens or characters per character, at most
TRIAL = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
except (ImportError, ValueError, OSError):
    pass
import json
import tokenizers
content, probes = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
found = tokenizers.Tokenizer.from_str(content)
found.no_truncation()
found.no_padding()
longest = 0
for probe in probes:
    ids = found.encode(probe).ids
    plain = found.normalizer.normalize_str(probe) if found.normalizer else ""
    longest = max(longest, len(ids), len(plain), len(found.decode(ids)))
print(longest)
"""


@lru_cache(maxsize=4)
def check_tokenizer(content: str) -> None:
    """Raises ValueError where a tokenizer, as JSON, is too large, takes too long or breaks; it says what is wrong."""
    if len(content) > LARGEST_JSON:
        raise ValueError(f"it has {len(content):,} characters, and {LARGEST_JSON:,} is the most")
    parts = {name: value for name, value in _object(content).items() if name in PARTS and value}
    if all(_is_common(value) for value in parts.values()):
        return
    probes = _probes(json.dumps(parts, ensure_ascii=False))
    given = json.dumps([content, probes]).encode("utf-8", "surrogatepass")
    command = [sys.executable, "-c", TRIAL]
    try:
        ended = subprocess.run(command, input=given, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"it takes more than {SECONDS} s for a text of {LENGTH:,} characters") from error
    if ended.returncode:
        told = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        why = next(
            (line for line in told if "Onig" in line), told[-1] if told else f"exit {ended.returncode}"
        )
        raise ValueError(f"it breaks on a text of {LENGTH:,} characters, {why[:120]}")
    if int(ended.stdout) > GROWTH * LENGTH:
        raise ValueError(f"it makes {int(ended.stdout):,} tokens or characters of a text of {LENGTH:,}")


def _object(content: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON, {error}") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def _is_common(part: Any) -> bool:
    """Whether a part of a tokenizer is of those that are known to be quick."""
    if part is None:
        return True
    if not isinstance(part, dict):
        return False
    if part.get("type") == "Split":
        return part.get("pattern") == {"Regex": OWN_PATTERN}
    if part.get("type") not in COMMON:
        return False
    if part["type"] == "TemplateProcessing":
        marks = list(part.get("special_tokens", {}).values())
        pieces = len(part.get("single", ())) + len(part.get("pair", ()))
        return pieces <= LONGEST_TEMPLATE and all(len(mark.get("ids", ())) == 1 for mark in marks)
    inner = [
        value
        for name in ("normalizers", "pretokenizers", "processors", "decoders")
        for value in part.get(name, ())
    ]
    return all(map(_is_common, inner))


def _probes(parts: str) -> list[str]:
    """Texts that patterns made of these characters may find awkward: each of their words and signs, many times."""
    units = dict.fromkeys(
        [*re.findall(r"\w+", parts)[:100], *parts, *"a1 \n\t!.é中", "ab", "a ", "1a", "\r\n"]
    )
    plain = [unit for unit in units if len(unit) < 40][:200]
    return [unit * (LENGTH // len(unit)) + end for unit in plain for end in ("\x00", "")]
