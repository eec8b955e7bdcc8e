# %% [markdown]
# ## A solution

# %%
def read_story(path):
    """The text of the file at `path`, as one string."""
    with open(path, encoding="utf-8") as file:
        return file.read()


# %%
def words_of(text):
    """The words of a text in their order, in lower case, without punctuation."""
    found = []
    for piece in text.lower().split():
        word = piece.strip(".,;:!?\"'()")
        if word:
            found.append(word)
    return found


# %%
def count_words(words):
    """A dict that says how often each word comes."""
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


# %%
def most_common(counts, number):
    """The most frequent words, as (word, count) pairs."""
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return pairs[:number]


# %%
def write_report(path, counts):
    """Write the ten most common words to a file, one line each: the count, a space, the word."""
    with open(path, "w", encoding="utf-8") as file:
        for word, count in most_common(counts, 10):
            file.write(f"{count} {word}\n")


# %%
def ask(counts):
    """Ask for a word, and say how often it comes."""
    word = input("Which word? ").strip().lower()
    count = counts.get(word, 0)
    if count == 0:
        return f'"{word}" does not come.'
    return f'"{word}" comes {count} {"time" if count == 1 else "times"}.'
