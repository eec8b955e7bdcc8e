# %% [markdown]
# ## Your code
#
# Complete the functions from top to bottom. Run a cell after each change, then press *Check my work*.

# %%
import matplotlib.pyplot as plt
import numpy as np


# %%
def predict(x, slope, intercept):
    """Exercise 1: the heights of the line at all places `x`, as an array."""
    return np.zeros(len(x))


# %%
def mean_squared_error(y, guess):
    """Exercise 2: the mean of the squared differences between two arrays, as one number."""
    return 0.0


# %%
def fit_line(x, y):
    """Exercise 3: slope and intercept of the line with the smallest mean squared error."""
    slope = 0.0
    intercept = 0.0
    return slope, intercept


# %%
def plot_fit(x, y, slope, intercept):
    """Exercise 4: the points and the line in one plot, with labels at both axes. Gives the axes."""
    _, axes = plt.subplots()
    return axes
