"""The imports of notebooks and modules are read from their text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.site.choice import choose, explain, modules_of_kernel, not_provided, providers
from jupyterlite_browsergrad.site.imports import Imports, files_of, read_imports
from jupyterlite_browsergrad.site.release import embedded_lock
from scripts import release_modules


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return embedded_lock(paths.static("pyodide"), {})


@pytest.fixture(scope="module")
def kernel() -> set[str]:
    return modules_of_kernel(paths.static("kernel"))


def notebook(path: Path, *cells: str, **metadata: Any) -> Path:
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


def read(folder: Path, ignore: tuple[str, ...] = ()) -> Imports:
    return read_imports(files_of([folder], ignore))


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import numpy as np, os.path", "numpy os"),
        ("from sklearn.linear_model import Ridge", "sklearn"),
        ("from . import near\nfrom .near import x", ""),
        ("def later():\n    import scipy.stats", "scipy"),
        ("%%time\nimport numpy", "numpy"),
        ("%%capture out\n%matplotlib inline\nimport pandas", "matplotlib pandas"),
        ("%time import numpy", "numpy"),
        ("%timeit -n 3 -r 2 import numpy", "numpy"),
        ("%matplotlib inline", "matplotlib"),
        ("%pylab", "matplotlib numpy"),
        ("%load_ext line_profiler.magic", "line_profiler"),
        ("%%html\nimport numpy", ""),
        ("%%bash\nimport numpy", ""),
        ("%%writefile near.py\nimport numpy", "numpy"),
        ("!ls\nx = !ls\n?print\nimport numpy", "numpy"),
        ("import importlib\nimportlib.import_module('numpy.linalg')", "importlib numpy"),
        ("__import__('numpy')", "numpy"),
        ("await f()\nimport numpy", "numpy"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\nelse:\n    import scipy",
            "scipy typing",
        ),
        ("import typing\nif typing.TYPE_CHECKING:\n    import numpy", "typing"),
        ("if True:\n    if x:\n        import numpy", "numpy"),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None", ""),
        ("try:\n    import numpy\nexcept (KeyError, ModuleNotFoundError):\n    import array", "array"),
        ("try:\n    import numpy\nexcept:\n    pass", ""),
        ("try:\n    import numpy\nexcept ValueError:\n    pass", "numpy"),
        ("try:\n    import numpy\nexcept ImportError:\n    !pip install numpy\n    import numpy", "numpy"),
        ("try:\n    import numpy\nexcept ImportError as error:\n    raise SystemExit('no numpy') from error", "numpy"),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None\nelse:\n    import scipy", "scipy"),
        ("import pandas as pd\npd.DataFrame().plot()", "matplotlib pandas"),
        ("x.plot()", ""),
        ("from google.colab import drive", "google.colab"),
        ("from google import protobuf", "google"),
        ("import google.protobuf.message", "google"),
        ("import numpy\nthis is no Python", ""),
        ("import '", ""),
    ],
)
def test_what_a_cell_needs(tmp_path: Path, code: str, needed: str) -> None:
    notebook(tmp_path / "a.ipynb", code)
    assert " ".join(read(tmp_path).needed) == needed


def test_each_import_is_told_with_its_places(tmp_path: Path) -> None:
    notebook(tmp_path / "one/a.ipynb", "1", "import numpy", "import numpy.linalg")
    (tmp_path / "b.py").write_text("x = 1\nimport numpy\n", "utf-8")
    assert list(map(str, read(tmp_path).needed["numpy"])) == [
        "b.py, line 2",
        "one/a.ipynb, cell 2",
        "one/a.ipynb, cell 3",
    ]


def test_modules_of_the_site_are_read_and_need_no_package(tmp_path: Path) -> None:
    notebook(tmp_path / "labs/a.ipynb", "import helper, tools.deep, sibling\nfrom common import x")
    (tmp_path / "labs/tools").mkdir()
    (tmp_path / "labs/tools/deep.py").write_text("import numpy\nfrom tools import other\nimport helper\n", "utf-8")
    (tmp_path / "labs/helper.py").write_text("import yaml\n", "utf-8")
    (tmp_path / "common.py").write_text("", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/sibling.py").write_text("", "utf-8")
    assert list(read(tmp_path).needed) == ["numpy", "sibling", "yaml"]


def test_what_is_not_published_or_not_python_is_not_read(tmp_path: Path) -> None:
    notebook(tmp_path / "secret/a.ipynb", "import scipy")
    notebook(tmp_path / ".ipynb_checkpoints/a.ipynb", "import scipy")
    notebook(tmp_path / "r.ipynb", "import scipy", kernelspec={"name": "ir", "language": "R"})
    notebook(tmp_path / "js.ipynb", "import scipy", language_info={"name": "javascript"})
    notebook(tmp_path / "py.ipynb", "import numpy", kernelspec={"name": "python3", "language": "python"})
    for damaged in ("{", "[]", '{"cells": 1}', '{"cells": [1, {}]}', '{"metadata": [], "cells": []}'):
        (tmp_path / "damaged.ipynb").write_text(damaged, "utf-8")
        assert list(read(tmp_path, ("^/secret/",)).needed) == ["numpy"]
    assert list(read_imports(files_of([tmp_path / "py.ipynb"])).needed) == ["numpy"]


def test_needed_somewhere_is_not_optional(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "try:\n    import numpy, scipy\nexcept ImportError:\n    pass", "import numpy")
    found = read(tmp_path)
    assert (list(found.needed), list(found.optional)) == (["numpy"], ["scipy"])


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("PIL", "pillow"),
        ("sklearn", "scikit-learn"),
        ("skimage", "scikit-image"),
        ("yaml", "pyyaml"),
        ("cv2", "opencv-python"),
        ("bs4", "beautifulsoup4"),
        ("dateutil", "python-dateutil"),
        ("mpl_toolkits", "matplotlib"),
        ("pylab", "matplotlib"),
        ("google", "protobuf"),
        ("Crypto", "pycryptodome"),
        ("numpy", "numpy"),
    ],
)
def test_modules_lead_to_packages_of_other_names(lock: dict[str, Any], module: str, package: str) -> None:
    assert providers(lock)[module] == package


def test_the_kernels_table_of_names_is_that_of_the_release(lock: dict[str, Any]) -> None:
    assert release_modules.TARGET.read_text("utf-8") == release_modules.text(lock), "run scripts/release_modules.py"


def test_of_two_packages_that_of_the_modules_name_is_chosen() -> None:
    packages = {name: {"imports": ["my_mod"]} for name in ("a-fork", "my-mod", "z-fork")}
    assert providers({"packages": packages}) == {"my_mod": "my-mod"}
    assert providers({"packages": {name: packages[name] for name in ("z-fork", "a-fork")}}) == {"my_mod": "a-fork"}


def test_only_packages_of_the_release_are_chosen_and_the_rest_is_told(
    tmp_path: Path, lock: dict[str, Any], kernel: set[str]
) -> None:
    cell = "import sklearn, IPython, js, os, browsergrad, seaborn, docx\nfrom PIL import Image"
    notebook(tmp_path / "a.ipynb", cell, "try:\n    import scipy\nexcept ImportError:\n    pass")
    found = read(tmp_path)
    choice = choose(found, lock, kernel)
    assert list(choice.packages) == ["pillow", "scikit-learn"]
    assert choice.lines(lock) == [
        f"pillow {lock['packages']['pillow']['version']}: imported in a.ipynb, cell 1",
        f"scikit-learn {lock['packages']['scikit-learn']['version']}: imported in a.ipynb, cell 1",
    ]
    missing = not_provided(found, kernel)
    assert list(missing) == ["PIL", "docx", "seaborn", "sklearn"]
    told = explain(missing, lock)
    assert told[0].startswith(
        "no package of this site provides PIL, imported in a.ipynb, cell 1; Pyodide's release has it"
    )
    assert '"pillow"' in told[0] and '"auto"' in told[0]
    assert '"python-docx"' in told[1]
    assert '"seaborn"' in told[2]


def test_many_places_are_counted(tmp_path: Path, lock: dict[str, Any], kernel: set[str]) -> None:
    notebook(tmp_path / "a.ipynb", *["import numpy"] * 9)
    (line,) = choose(read(tmp_path), lock, kernel).lines(lock)
    assert line.endswith("a.ipynb, cell 1; a.ipynb, cell 2; a.ipynb, cell 3; and 6 more")
