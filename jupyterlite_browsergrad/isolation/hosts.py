"""Configurations that make web hosts send the headers of cross-origin isolation."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HOSTS", "Host"]


@dataclass(frozen=True)
class Host:
    """A web host and its configuration.

    Parameters
    ----------
    title
        Name of the host.
    file
        The file that holds the text, and where that file is.
    text
        The configuration, ready to be copied.
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
        r"""Header always set Cross-Origin-Opener-Policy "same-origin"
Header always set Cross-Origin-Embedder-Policy "require-corp"
Header always set Cross-Origin-Resource-Policy "same-origin"
AddType text/javascript .js .mjs
AddType application/wasm .wasm
<If "%{REQUEST_URI} =~ m#/(build|extensions|static/browsergrad)/.*\.[0-9a-f]{7,64}\.[a-z.0-9]+$#">
    Header set Cache-Control "public, max-age=31536000, immutable"
</If>
""",
    ),
    "caddy": Host(
        "Caddy",
        "Caddyfile",
        r"""example.org {
	root * /srv/site
	file_server {
		# Copies that `jupyter browsergrad compress` has made.
		precompressed br gzip
	}
	@hashed path_regexp ^/(build|extensions|static/browsergrad)/.*\.[0-9a-f]{7,64}\.[a-z.0-9]+$
	header @hashed Cache-Control "public, max-age=31536000, immutable"
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
        r"""server {
    listen 80;
    server_name example.org;
    root /srv/site;

    include mime.types;
    types {
        text/javascript mjs;
        application/wasm wasm;
    }
    # Copies that `jupyter browsergrad compress` has made.
    gzip_static on;

    set $caching no-cache;
    if ($uri ~ "^/(build|extensions|static/browsergrad)/.*\.[0-9a-f]{7,64}\.[a-z.0-9]+$") {
        set $caching "public, max-age=31536000, immutable";
    }
    add_header Cache-Control $caching always;

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
