# %% [markdown]
# ## A solution

# %%
import matplotlib.pyplot as plt
import numpy as np


# %%
def predict(x, slope, intercept):
    """The heights of the line at all places `x`, as an array."""
    return slope * np.asarray(x) + intercept


# %%
def mean_squared_error(y, guess):
    """The mean of the squared differences between two arrays, as one number."""
    return float(np.mean((np.asarray(y) - np.asarray(guess)) ** 2))


# %%
def fit_line(x, y):
    """Slope and intercept of the line with the smallest mean squared error."""
    x, y = np.asarray(x), np.asarray(y)
    from_mean = x - x.mean()
    slope = np.sum(from_mean * (y - y.mean())) / np.sum(from_mean**2)
    intercept = y.mean() - slope * x.mean()
    return slope, intercept


# %%
def plot_fit(x, y, slope, intercept):
    """The points and the line in one plot, with labels at both axes. Gives the axes."""
    _, axes = plt.subplots()
    axes.plot(x, y, "o", label="measured")
    axes.plot(x, predict(x, slope, intercept), label="fitted")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.legend()
    return axes
