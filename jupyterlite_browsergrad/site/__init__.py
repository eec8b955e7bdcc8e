"""Building, checking and serving a JupyterLite site with this kernel."""
