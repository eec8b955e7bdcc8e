"""Names that have to be the same in the build and in the built site."""

#: Name of the labextension on npm, and of its folder.
LABEXTENSION = "jupyterlite-browsergrad"
#: The plugin whose settings in ``jupyter-lite.json`` tell the kernel where things are.
KERNEL_PLUGIN = f"{LABEXTENSION}:kernel"
#: The plugin whose settings name the key of hand-in files.
HAND_IN_PLUGIN = f"{LABEXTENSION}:hand-in"
#: The plugin that keeps an offline copy of the site.
OFFLINE_PLUGIN = f"{LABEXTENSION}:offline"
KERNEL_NAME = "browsergrad"

#: Keys of the plugin's settings.
PYODIDE_INDEX_URL = "pyodideIndexURL"
KERNEL_URL = "kernelURL"
PIPLITE_URLS = "pipliteUrls"
DISABLE_PYPI_FALLBACK = "disablePyPIFallback"
FILE_VERSIONS = "fileVersions"
#: Key of the other plugin's settings.
HAND_IN_KEY = "handInKey"
#: Key of the offline plugin's settings.
OFFLINE_COPY = "offlineCopy"

#: Folder of a site's own Pyodide (another distribution, or one with vendored packages), relative to the site's root.
SITE_PYODIDE = "static/browsergrad/pyodide"
#: Folder of the files from which that Pyodide starts, if it is not the embedded one.
SITE_KERNEL = "static/browsergrad/kernel"
PIPLITE_INDEX = "all.json"

PYODIDE_LOCK = "pyodide-lock.json"
#: The lock of the whole release, beside the embedded `PYODIDE_LOCK`, which names no packages. Only builds read it.
RELEASE_LOCK = "release-lock.json"

#: Address where a release of Pyodide has its packages, file by file. Builds use it; visitors' browsers never do.
PYODIDE_CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"
