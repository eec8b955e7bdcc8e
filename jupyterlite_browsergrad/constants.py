"""Names that have to be the same on both sides of the build."""

#: The npm name of the labextension, also its folder.
LABEXTENSION = "jupyterlite-browsergrad"
#: The plugin whose settings in ``jupyter-lite.json`` tell the kernel where things are.
KERNEL_PLUGIN = f"{LABEXTENSION}:kernel"
KERNEL_NAME = "browsergrad"

#: Keys of the plugin's settings.
PYODIDE_INDEX_URL = "pyodideIndexURL"
KERNEL_URL = "kernelURL"
PIPLITE_URLS = "pipliteUrls"
DISABLE_PYPI_FALLBACK = "disablePyPIFallback"

#: Where a site's own Pyodide (another distribution, or vendored packages) goes, from the site's root.
SITE_PYODIDE = "static/browsergrad/pyodide"
#: Where what another Pyodide than the embedded one starts from goes.
SITE_KERNEL = "static/browsergrad/kernel"
PIPLITE_INDEX = "all.json"

PYODIDE_LOCK = "pyodide-lock.json"
#: Beside the embedded `PYODIDE_LOCK`, which names nothing: the lock of the whole release. Only builds read it.
RELEASE_LOCK = "release-lock.json"

#: Where a release of Pyodide has its packages, file by file. Builds ask it, visitors' browsers never.
PYODIDE_CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"
