# %% [markdown]
# ## Your code
#
# Complete the functions from top to bottom. Run a cell after each change, then press *Check my work*.

# %%
def read_story(path):
    """Exercise 1: the text of the file at `path`, as one string."""
    return ""


# %%
def words_of(text):
    """Exercise 2: the words of a text in their order, in lower case, without punctuation.

    "It's late," said Ann.  ->  ["it's", "late", "said", "ann"]
    """
    return text.split()


# %%
def count_words(words):
    """Exercise 3: a dict that says how often each word comes."""
    counts = {}
    return counts


# %%
def most_common(counts, number):
    """Exercise 4: the most frequent words, as (word, count) pairs.

    The most frequent comes first; words of equal count come in alphabetical order.
    """
    return []


# %%
def write_report(path, counts):
    """Exercise 5: write the ten most common words to a file, one line each: the count, a space, the word."""


# %%
def ask(counts):
    """Exercise 6: ask for a word, and say how often it comes.

    Gives a sentence such as: "cat" comes 6 times. / "dog" does not come.
    """
    word = input("Which word? ")
    return word
