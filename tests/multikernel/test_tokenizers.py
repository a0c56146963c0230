"""Tokenizers of others: small files of every format, and what the algorithms say by hand."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bvar.multikernel import BytePairs, WordPieces, load_tokenizer
from bvar.multikernel.byte_pairs import PATTERNS

GAP, LINE, BAR = "\u0120", "\u010a", "\u2581"  # a gap and the end of a line as visible bytes, and a bar
BYTES = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
MERGES = [
    "t h",
    "th e",
    f"{GAP} the",
    f"{GAP} t",
    "i s",
    "' s",
    "1 2",
    "12 3",
    f"{GAP} a",
    "o o",
    f"{LINE} {LINE}",
]
PIECES = ["<s>", "</s>", *BYTES, *(merge.replace(" ", "") for merge in MERGES)]
VOCABULARY = {piece: i for i, piece in enumerate(PIECES)}


def pieces_of(tokenizer, text):
    names = {number: name for name, number in tokenizer.vocabulary.items()}
    return [names[i] for i in tokenizer.encode(text).tolist()]


def write(folder, **files):
    for name, content in files.items():
        name = name.replace("__", ".")
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def whole(split="gpt2", **more):
    """A tokenizer.json of pairs of bytes."""
    alone = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    cut = {"type": "Split", "pattern": {"Regex": PATTERNS[split]}, "behavior": "Isolated", "invert": False}
    both = {"type": "Sequence", "pretokenizers": [cut, {**alone, "use_regex": False}]}
    first = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    single = [first, {"Sequence": {"id": "A", "type_id": 0}}]
    return {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<s>", "special": True}, {"id": 1, "content": "</s>"}],
        "normalizer": None,
        "pre_tokenizer": alone if split == "gpt2" else both,
        "post_processor": {"type": "TemplateProcessing", "single": single},
        "model": {"type": "BPE", "vocab": VOCABULARY, "merges": MERGES, "ignore_merges": split == "llama3"},
        **more,
    }


# ----------------------------------------------------------------------------------------- pairs of bytes


def plain_merges(word, merges):
    """The rule of the method: of all pairs that are in the list, the first of it, leftmost, one at a time."""
    pieces = list(word)
    while True:
        places = [
            (merges.index((a, b)), i) for i, (a, b) in enumerate(itertools.pairwise(pieces)) if (a, b) in merges
        ]
        if not places:
            return pieces
        _, i = min(places)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@given(st.text("abc", max_size=12), st.permutations(["a b", "b c", "ab c", "c c", "a a", "cc ab", "aa aa"]))
def test_merges_are_taken_in_their_order(word, lines):
    merges = [tuple(line.split()) for line in lines]
    names = ["a", "b", "c", *(a + b for a, b in merges)]
    tokenizer = BytePairs({name: i for i, name in enumerate(names)}, merges)
    assert pieces_of(tokenizer, word) == plain_merges(word, merges)


@given(st.text(max_size=40))
def test_every_text_in_bytes_comes_back(text):
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        for split in PATTERNS:
            tokenizer = BytePairs(VOCABULARY, [tuple(m.split(" ")) for m in MERGES], split=split)
            assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    ("split", "text", "words"),
    [
        ("gpt2", "the the", ["the", f"{GAP}the"]),
        ("gpt2", "it's  the", ["i", "t", "'s", GAP, f"{GAP}the"]),
        ("gpt2", "1234", ["123", "4"]),
        ("gpt2", "\n\n the", [LINE + LINE, f"{GAP}the"]),
        ("gpt2", "a\u00a0b", ["a", "\u00c2", "\u0142", "b"]),
        ("gpt2", "the</s>the", ["the", "</s>", "the"]),
        ("llama3", "1234", ["123", "4"]),
        ("llama3", "it'S", ["i", "t", "'", "S"]),
        ("llama3", ".the", [".", "the"]),
        ("llama3", "a\n\nthe", ["a", LINE + LINE, "the"]),
    ],
)
def test_words_are_cut_and_merged(tmp_path, split, text, words):
    tokenizer = load_tokenizer(write(tmp_path, tokenizer__json=whole(split)))
    assert pieces_of(tokenizer, text) == ["<s>", *words]


def test_a_word_that_is_a_token_may_be_taken_whole():
    vocabulary = {**VOCABULARY, "moo": len(VOCABULARY)}
    merges = [tuple(m.split(" ")) for m in MERGES]
    assert pieces_of(BytePairs(vocabulary, merges), "moo") == ["m", "oo"]
    assert pieces_of(BytePairs(vocabulary, merges, whole_words=True), "moo") == ["moo"]


@pytest.mark.parametrize("begin", [{"add_bos_token": True, "bos_token": "</s>"}, {}, None])
def test_two_files_of_pairs_are_read(tmp_path, begin):
    write(tmp_path, vocab__json=VOCABULARY, merges__txt="\n".join(["#version: 0.2", *MERGES, ""]))
    if begin is not None:
        write(tmp_path, tokenizer_config__json=begin)
    assert pieces_of(load_tokenizer(tmp_path), "the the") == ["</s>"] * bool(begin) + ["the", f"{GAP}the"]


def test_pairs_in_lists_are_read(tmp_path):
    file = whole()
    file["model"]["merges"] = [merge.split(" ") for merge in MERGES]
    assert pieces_of(load_tokenizer(write(tmp_path, tokenizer__json=file)), "the") == ["<s>", "the"]


def test_bars_stand_for_gaps_and_bytes_for_what_is_unknown(tmp_path):
    merges = ["t h", "th e", f"{BAR} the", "o w"]
    names = ["<unk>", "<s>", *(f"<0x{value:02X}>" for value in range(256)), BAR, *"theow"]
    names += [merge.replace(" ", "") for merge in merges]
    steps = [{"type": "Prepend", "prepend": BAR}, {"type": "Replace", "pattern": {"String": " "}, "content": BAR}]
    file = whole(
        normalizer={"type": "Sequence", "normalizers": steps},
        pre_tokenizer=None,
        added_tokens=[{"id": 0, "content": "<unk>"}, {"id": 1, "content": "<s>"}],
        model={
            "type": "BPE",
            "vocab": {name: i for i, name in enumerate(names)},
            "merges": merges,
            "byte_fallback": True,
        },
    )
    tokenizer = load_tokenizer(write(tmp_path, tokenizer__json=file))
    assert pieces_of(tokenizer, "the  the\u00e9tow") == [
        *("<s>", f"{BAR}the", BAR, f"{BAR}the", "<0xC3>", "<0xA9>", "t", "ow"),
    ]
    for text in ("the  the\u00e9tow\n", " the", ""):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_text_that_no_token_writes_is_refused():
    tokenizer = BytePairs({"a": 0}, [])
    with pytest.raises(ValueError, match="text must be of the tokens"):
        tokenizer.encode("ab")
    with pytest.raises(ValueError, match="ids must be numbers of tokens"):
        tokenizer.decode([0, 3])
    with pytest.raises(ValueError, match="vocabulary must hold"):
        BytePairs({"a": 0, "b": 1}, [("a", "b")])
    with pytest.raises(ValueError, match="split must be"):
        BytePairs({"a": 0}, [], split="gpt3")


def test_a_token_that_is_not_written_in_bytes_stands_for_itself():
    tokenizer = BytePairs({"a": 0, f"{GAP}a": 1, "b c": 2, "\u5317": 3}, [])
    assert tokenizer.decode([0, 2, 1, 3]) == "ab c a\u5317"


# ----------------------------------------------------------------------------------------- pieces of words

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "un",
    "##aff",
    "##able",
    "##a",
    "cafe",
    "the",
    ",",
    "$",
    "\u5317",
    "\u4eac",
]


def word_file(**more):
    return {
        "truncation": {"max_length": 6, "strategy": "LongestFirst", "stride": 0},
        "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "vocab": {word: i for i, word in enumerate(WORDS)},
            "continuing_subword_prefix": "##",
        },
        **more,
    }


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Unaffable", ["un", "##aff", "##able"]),
        ("caf\u00e9,the$", ["cafe", ",", "the", "$"]),
        ("\u5317\u4eac", ["\u5317", "\u4eac"]),
        ("the\u200b the\x00", ["the", "the"]),
        ("unaffablx the", ["[UNK]", "the"]),
        ("una" + "a" * 98, ["[UNK]"]),
        ("un" + "a" * 2, ["un", "##a", "##a"]),
        ("the the the the the", ["the"] * 4),
        ("", []),
    ],
)
def test_words_are_cut_into_their_longest_known_pieces(tmp_path, text, pieces):
    tokenizer = load_tokenizer(write(tmp_path, tokenizer__json=word_file()))
    assert pieces_of(tokenizer, text) == ["[CLS]", *pieces, "[SEP]"]


def test_a_list_of_words_is_read(tmp_path):
    write(tmp_path, vocab__txt="\n".join(WORDS) + "\n", tokenizer_config__json={"do_lower_case": False})
    tokenizer = load_tokenizer(tmp_path)
    assert pieces_of(tokenizer, "the The unaffable") == [
        *("[CLS]", "the", "[UNK]", "un", "##aff", "##able", "[SEP]"),
    ]
    assert tokenizer.decode(tokenizer.encode("unaffable the")) == "unaffable the"
    with pytest.raises(ValueError, match="ids must be numbers of tokens"):
        tokenizer.decode([99])
    with pytest.raises(ValueError, match=r"vocabulary must hold \[UNK\]"):
        WordPieces({"a": 0})


@pytest.mark.parametrize("end", ["", "\n"])
def test_only_a_line_feed_ends_a_word_of_a_list(tmp_path, end):
    words = [*WORDS, "\u2028", "\x85", "a\x0bb", "\u2029c", "", "last"]
    tokenizer = load_tokenizer(write(tmp_path, vocab__txt="\n".join(words) + end))
    assert tokenizer.vocabulary == {word: i for i, word in enumerate(words)}


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize("tokenizer", [BytePairs(VOCABULARY, []), WordPieces({w: i for i, w in enumerate(WORDS)})])
@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([3.9], "ids must be integers, got dtype float64"),
        (["3"], "ids must be integers"),
        ([True], "ids must be integers, got dtype bool"),
        ([-1], "ids must be from 0"),
        ([[3, 4], [3, 4]], "ids must be one text"),
        ([10**6], r"ids must be numbers of tokens, got \[1000000\]"),
    ],
)
def test_what_are_no_numbers_of_tokens_is_not_decoded(tokenizer, ids, text):
    with pytest.raises((TypeError, ValueError), match=text):
        tokenizer.decode(ids)
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize(
    "file",
    [
        [],
        {},
        whole(model={"type": "Unigram", "vocab": {}}),
        whole(model={"type": "BPE", "vocab": [], "merges": []}),
        whole(model={"type": "BPE", "vocab": {"a": "0"}, "merges": []}),
        whole(model={"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}),
        whole(model={"type": "BPE", "vocab": {"a": 0}, "merges": [3]}),
        whole(model={"type": "BPE", "vocab": {"a": 0}, "merges": {}}),
        whole(model={"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}),
        whole(model={"type": "BPE", "vocab": VOCABULARY, "merges": [], "ignore_merges": "yes"}),
        whole(added_tokens={}),
        whole(added_tokens=[3]),
        whole(added_tokens=[{"content": "<s>"}]),
        whole(post_processor={"type": "BertProcessing"}),
        whole(post_processor={"type": "TemplateProcessing", "single": [3]}),
        whole(post_processor={"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>"}}]}),
        whole(normalizer={"type": "NFC"}),
        whole(pre_tokenizer=None),
        whole(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True}),
        whole(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"}),
        word_file(normalizer={"type": "BertNormalizer", "lowercase": True, "strip_accents": False}),
        word_file(pre_tokenizer={"type": "Whitespace"}),
        word_file(truncation={"max_length": "6"}),
        word_file(truncation=[6]),
    ],
)
def test_files_that_ask_for_something_else_are_refused(tmp_path, file):
    with pytest.raises((TypeError, ValueError), match="must"):
        load_tokenizer(write(tmp_path, tokenizer__json=file))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00"])
def test_what_is_no_json_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match="must be JSON"):
        load_tokenizer(write(tmp_path, tokenizer__json=text))


def test_a_folder_without_a_tokenizer_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_tokenizer(tmp_path)


def test_numbers_are_of_one_dtype(tmp_path):
    for file in (whole(), word_file()):
        assert load_tokenizer(write(tmp_path, tokenizer__json=file)).encode("the").dtype == np.int64
