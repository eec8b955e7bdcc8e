"""Complete substitutes for modules that some distributions of Pyodide lack. `stand_ins` finds them if there is no real module."""
