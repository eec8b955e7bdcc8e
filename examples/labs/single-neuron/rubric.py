"""Checks of the lab "single neuron": each says what to look at when it fails."""

import math

import browsergrad as bg


def close(actual, expected, tolerance=1e-6):
    return math.isclose(actual, expected, rel_tol=tolerance, abs_tol=tolerance)


def gradient(function, *numbers, step=1e-6):
    """Derivatives by small differences: slow, but hard to get wrong."""
    found = []
    for index in range(len(numbers)):
        moved = [list(numbers), list(numbers)]
        moved[0][index] -= step
        moved[1][index] += step
        low, high = (function(*map(Value, side)).data for side in moved)
        found.append((high - low) / (2 * step))
    return found


POINTS = [((2.0, 1.0), 1.0), ((1.5, 2.0), 1.0), ((-1.0, -1.5), -1.0), ((-2.0, 0.5), -1.0)]

with bg.check("1. a product knows its local derivatives"):
    a, b = Value(3.0), Value(-4.0)
    (_, to_a), (_, to_b) = (a * b).parents
    assert to_a == -4.0, "d(a·b)/da is b: when a grows by 1, the product grows by b"
    assert to_b == 3.0, "d(a·b)/db is a"

with bg.check("2. tanh knows its local derivative"):
    ((_, slope),) = Value(0.5).tanh().parents
    expected = 1 - math.tanh(0.5) ** 2
    assert close(slope, expected), f"at 0.5 the slope of tanh is 1 - tanh(0.5)² = {expected:.4f}, yours is {slope:.4f}"

with bg.check("2. tanh is flat far from zero"):
    ((_, slope),) = Value(20.0).tanh().parents
    assert abs(slope) < 1e-6, "far from zero tanh does not change any more: its slope there is almost 0"

with bg.check("3. backward follows one step"):
    a, b = Value(3.0), Value(-4.0)
    backward(a + b)
    assert (a.grad, b.grad) == (1.0, 1.0), (
        "after backward(a + b) both gradients are 1: add `derivative * value.grad` to the parent's grad"
    )

with bg.check("3. backward adds up all ways that lead to a value"):
    a = Value(3.0)
    backward(a + a + a)
    assert a.grad == 3.0, "a is used three times, so a.grad is 3: use += and not ="

with bg.check("3. backward can be called again"):
    a, b = Value(2.0), Value(5.0)
    product = a * b
    backward(product)
    backward(product)
    assert a.grad == 5.0, "a second backward begins from zero again: keep the line that sets every grad to 0.0"

with bg.check("3. gradients agree with small differences"):

    def formula(a, b, c):
        return (a * b + c).tanh() * a

    numbers = (0.7, -0.3, 0.2)
    values = [Value(number) for number in numbers]
    backward(formula(*values))
    for name, value, expected in zip("abc", values, gradient(formula, *numbers), strict=True):
        assert close(value.grad, expected, 1e-4), (
            f"the gradient of {name} should be {expected:.5f}, yours is {value.grad:.5f}: check exercises 1 to 3"
        )

with bg.check("4. the neuron computes tanh of the weighted sum"):
    out = neuron([Value(0.5), Value(-1.0)], Value(0.25), (2.0, 0.5))
    expected = math.tanh(0.5 * 2.0 - 1.0 * 0.5 + 0.25)
    assert close(out.data, expected), (
        f"tanh(0.5·2 + (-1)·0.5 + 0.25) is {expected:.4f}, yours is {out.data:.4f}: did you add the bias, and call .tanh()?"
    )

with bg.check("4. the neuron can be trained: gradients reach its weights"):
    weights, bias = [Value(0.5), Value(-1.0)], Value(0.25)
    backward(neuron(weights, bias, (2.0, 0.5)))
    assert all(value.grad != 0 for value in (*weights, bias)), (
        "a gradient is still 0: use the Values themselves in neuron, not their .data"
    )

with bg.check("5. training makes the loss smaller"):
    _, _, history = train(POINTS, steps=30)
    assert len(history) == 30, "history holds one loss for each step"
    assert history[-1] < history[0] / 4, (
        f"the loss went from {history[0]:.3f} to {history[-1]:.3f}: subtract rate * grad from the .data of each parameter"
    )

with bg.check("5. the trained neuron separates the points"):
    weights, bias, _ = train(POINTS, steps=60)
    for inputs, target in POINTS:
        guess = neuron(weights, bias, inputs).data
        assert guess * target > 0, (
            f"for {inputs} the sign of the answer should be that of {target}, yours is {guess:.3f}"
        )
