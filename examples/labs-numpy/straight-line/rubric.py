"""Checks of the lab "straight line": each says what to look at when it fails."""

import browsergrad as bg
import matplotlib.pyplot as plt
import numpy as np

X = np.array([0.0, 1.0, 2.0, 4.0])
Y = np.array([1.0, 2.5, 5.5, 8.0])
#: Of those points, by NumPy's own least squares.
SLOPE, INTERCEPT = np.polyfit(X, Y, 1)


def drawn():
    """The student's plot of the points and a line, closed again."""
    axes = plot_fit(X, Y, 2.0, 1.0)
    assert hasattr(axes, "get_lines"), (
        f"plot_fit should return the axes, not {type(axes).__name__}: end it with `return axes`"
    )
    plt.close(axes.figure)
    return axes


with bg.check("1. the line goes up by its slope"):
    found = predict(np.array([0.0, 1.0, 3.0]), 2.0, 0.0)
    assert np.allclose(found, [0.0, 2.0, 6.0]), f"2 * [0, 1, 3] is [0, 2, 6], yours is {found}: multiply x by the slope"

with bg.check("1. the line starts at its intercept"):
    found = predict(np.array([0.0, 1.0]), 0.0, 5.0)
    assert np.allclose(found, [5.0, 5.0]), f"with slope 0 every height is the intercept, 5, and yours are {found}"

with bg.check("2. the error of a perfect guess is 0, of others not"):
    assert mean_squared_error(Y, Y) == 0, "the error between equal arrays is 0: take the differences first"
    assert mean_squared_error(Y, Y + 1) > 0, "a guess that is 1 off everywhere has an error: square the differences"

with bg.check("2. the error is the mean of the squares"):
    found = mean_squared_error(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 2.0]))
    assert np.isclose(found, 5 / 3), f"the differences 0, -2, 1 have the mean square 5/3, yours is {found}: use np.mean"

with bg.check("3. points on a line give that line"):
    slope, intercept = fit_line(X, 3.0 * X - 2.0)
    assert np.isclose(slope, 3.0), f"the points of 3x - 2 have the slope 3, yours is {slope}"
    assert np.isclose(intercept, -2.0), f"their intercept is -2, yours is {intercept}: mean of y - slope * mean of x"

with bg.check("3. of scattered points the line is the best one"):
    slope, intercept = fit_line(X, Y)
    assert np.isclose(slope, SLOPE) and np.isclose(intercept, INTERCEPT), (
        f"the best line is {SLOPE:.3f}x + {INTERCEPT:.3f}, yours is {slope:.3f}x + {intercept:.3f}"
    )

with bg.check("4. the plot shows the points"):
    axes = drawn()
    shown = [np.asarray(line.get_ydata()) for line in axes.get_lines()] + [
        np.asarray(each.get_offsets())[:, 1] for each in axes.collections
    ]
    assert any(len(y) == len(Y) and np.allclose(y, Y) for y in shown), 'draw the points by axes.plot(x, y, "o")'

with bg.check("4. the plot shows the line"):
    lines = drawn().get_lines()
    assert any(np.allclose(line.get_ydata(), 2 * np.asarray(line.get_xdata()) + 1) for line in lines), (
        "draw the line by axes.plot(x, predict(x, slope, intercept))"
    )

with bg.check("4. both axes have labels"):
    axes = drawn()
    assert axes.get_xlabel() and axes.get_ylabel(), "name the axes by axes.set_xlabel(...) and axes.set_ylabel(...)"
