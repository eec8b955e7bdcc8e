"""Checks of the lab "text statistics": each says what to look at when it fails."""

import tempfile
from pathlib import Path
from unittest import mock

import browsergrad as bg

TEXT = 'The cat sat.\n"It\'s late," said the cat; the café was (almost) closed!\n'
WORDS = ["the", "cat", "sat", "it's", "late", "said", "the", "cat", "the", "café", "was", "almost", "closed"]
COUNTS = {"sea": 2, "the": 5, "cat": 2, "fish": 1}
folder = Path(tempfile.mkdtemp())


def asked(word):
    """What `ask` gives when somebody types `word`."""
    with mock.patch("builtins.input", return_value=word) as typed:
        answer = ask(dict(COUNTS))
    assert typed.call_count == 1, f"ask should call input() once, and called it {typed.call_count} times"
    return answer


with bg.check("1. read_story gives the whole file"):
    (folder / "story.txt").write_text(TEXT, encoding="utf-8")
    text = read_story(folder / "story.txt")
    assert isinstance(text, str), f"read_story should return a string, not {type(text).__name__}: use file.read()"
    assert text == TEXT, "open the file with encoding='utf-8' and return all of file.read()"

with bg.check("1. read_story leaves no file open"):
    opened = []

    def watched(*arguments, **options):
        opened.append(original(*arguments, **options))
        return opened[-1]

    original = open
    with mock.patch("builtins.open", watched):
        read_story(str(folder / "story.txt"))
    assert opened or read_story(folder / "story.txt"), "read_story opens no file"
    assert all(file.closed for file in opened), "a file stayed open: write `with open(...) as file:`"

with bg.check("2. words are in lower case"):
    assert words_of("The CAT") == ["the", "cat"], "The and the are one word: use .lower()"

with bg.check("2. words have no punctuation around them"):
    assert words_of('"Late," she said.') == ["late", "she", "said"], 'use .strip(".,;:!?\\"\'()") on each word'

with bg.check("2. an apostrophe inside a word stays"):
    assert words_of("It's the cat's.") == ["it's", "the", "cat's"], (
        "strip takes characters from the ends alone; replace takes too much"
    )

with bg.check("2. a whole text, and punctuation that stands alone"):
    assert words_of(TEXT) == WORDS, f"the words of {TEXT!r} are others: compare expected and actual below"
    assert words_of("a - b ... c") in (["a", "b", "c"], ["a", "-", "b", "c"]), (
        "what is left empty is no word: leave it out"
    )

with bg.check("3. count_words counts"):
    assert count_words(["a", "b", "a", "a"]) == {"a": 3, "b": 1}, (
        "for each word: counts[word] = counts.get(word, 0) + 1"
    )
    assert count_words([]) == {}, "no words, no counts"

with bg.check("4. most_common begins with the most frequent"):
    assert most_common(COUNTS, 1) == [("the", 5)], "sort by count, the largest first, and take the first `number`"

with bg.check("4. words of equal count are in alphabetical order"):
    assert most_common(COUNTS, 3) == [("the", 5), ("cat", 2), ("sea", 2)], (
        "sort with key=lambda pair: (-pair[1], pair[0])"
    )

with bg.check("4. most_common takes no more than there are"):
    assert most_common({"a": 1}, 10) == [("a", 1)], "pairs[:10] is fine also when there are fewer than ten"

with bg.check("5. write_report writes a line for each word"):
    write_report(folder / "report.txt", COUNTS)
    assert (folder / "report.txt").is_file(), "there is no file after write_report: open it with mode 'w'"
    lines = (folder / "report.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["5 the", "2 cat", "2 sea", "1 fish"], "each line is the count, a space, the word; end it with \\n"

with bg.check("6. ask says how often a word comes"):
    assert asked("the") == '"the" comes 5 times.', (
        "give a sentence: the word in quotes, comes, how often, times, full stop"
    )

with bg.check("6. ask does not mind capitals and spaces"):
    assert asked(" Sea ") == '"sea" comes 2 times.', "use .strip().lower() on what was typed"

with bg.check("6. ask knows that one time is not one times"):
    assert asked("fish") == '"fish" comes 1 time.', "when the count is 1 it is time, not times"

with bg.check("6. ask says when a word does not come"):
    assert asked("dog") == '"dog" does not come.', "use counts.get(word, 0): a word that is not there has the count 0"
