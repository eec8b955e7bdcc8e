"""What to tell static hosts so that they send the headers of cross-origin isolation."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HOSTS", "Host"]


@dataclass(frozen=True)
class Host:
    """A host and its configuration.

    Parameters
    ----------
    title
        Its name.
    file
        The file the text belongs into, and where that is.
    text
        Ready to be copied.
    """

    title: str
    file: str
    text: str


_HEADERS_FILE = """\
/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
  Cross-Origin-Resource-Policy: same-origin
"""

#: Name on the command line -> host.
HOSTS = {
    "apache": Host(
        "Apache",
        ".htaccess in the site's folder; needs mod_headers and AllowOverride FileInfo",
        """\
Header always set Cross-Origin-Opener-Policy "same-origin"
Header always set Cross-Origin-Embedder-Policy "require-corp"
Header always set Cross-Origin-Resource-Policy "same-origin"
AddType text/javascript .js .mjs
AddType application/wasm .wasm
""",
    ),
    "caddy": Host(
        "Caddy",
        "Caddyfile",
        """\
example.org {
	root * /srv/site
	file_server
	header {
		Cross-Origin-Opener-Policy same-origin
		Cross-Origin-Embedder-Policy require-corp
		Cross-Origin-Resource-Policy same-origin
	}
}
""",
    ),
    "cloudflare": Host("Cloudflare Pages", "_headers in the site's folder", _HEADERS_FILE),
    "netlify": Host("Netlify", "_headers in the site's folder", _HEADERS_FILE),
    "nginx": Host(
        "nginx",
        "the server block of the site",
        """\
server {
    listen 80;
    server_name example.org;
    root /srv/site;

    include mime.types;
    types {
        text/javascript mjs;
        application/wasm wasm;
    }

    add_header Cross-Origin-Opener-Policy same-origin always;
    add_header Cross-Origin-Embedder-Policy require-corp always;
    add_header Cross-Origin-Resource-Policy same-origin always;
}
""",
    ),
    "vercel": Host(
        "Vercel",
        "vercel.json in the site's folder",
        """\
{
  "headers": [
    {
      "source": "/(.*)",
      "headers": [
        { "key": "Cross-Origin-Opener-Policy", "value": "same-origin" },
        { "key": "Cross-Origin-Embedder-Policy", "value": "require-corp" },
        { "key": "Cross-Origin-Resource-Policy", "value": "same-origin" }
      ]
    }
  ]
}
""",
    ),
}
