# %% [markdown]
# ## Your code
#
# Complete the functions below, from top to bottom. Run a cell after each change, then press *Check my work*.

# %%
import math


class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents  # pairs (value, local derivative)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        # Exercise 1: what are the two local derivatives of a product?
        return Value(self.data * other.data, ((self, 0.0), (other, 0.0)))

    def tanh(self):
        t = math.tanh(self.data)
        # Exercise 2: what is the derivative of tanh, written with t?
        return Value(t, ((self, 0.0),))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other if isinstance(other, Value) else Value(-other))

    def __repr__(self):
        return f"Value({self.data:.4f}, grad={self.grad:.4f})"


# %%
def backward(output):
    """Set `grad` of `output` and of every value it was made from."""
    order = sorted_values(output)
    for value in order:
        value.grad = 0.0
    output.grad = 1.0
    for value in reversed(order):
        for parent, derivative in value.parents:
            # Exercise 3: the chain rule. How much does `output` change with `parent`, through `value`?
            pass


def sorted_values(output):
    """All values that `output` was made from, parents before what was made of them."""
    order, seen = [], set()

    def visit(value):
        if id(value) not in seen:
            seen.add(id(value))
            for parent, _ in value.parents:
                visit(parent)
            order.append(value)

    visit(output)
    return order


# %%
def neuron(weights, bias, inputs):
    """Exercise 4: tanh(w0 * x0 + w1 * x1 + … + bias)."""
    return Value(0.0)


# %%
def loss(weights, bias, data):
    """Mean squared error of the neuron over all (inputs, target) pairs."""
    total = Value(0.0)
    for inputs, target in data:
        error = neuron(weights, bias, inputs) - target
        total = total + error * error
    return total * (1.0 / len(data))


def train(data, steps=60, rate=0.5):
    """Find good weights. Gives them, the bias, and the loss before each step."""
    weights, bias = [Value(0.1), Value(-0.2)], Value(0.0)
    history = []
    for _ in range(steps):
        cost = loss(weights, bias, data)
        history.append(cost.data)
        backward(cost)
        # Exercise 5: move each weight, and the bias, a little downhill.
    return weights, bias, history
