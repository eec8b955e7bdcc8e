"""The directive ``{schema-table}``: the fields of a JSON Schema of this project as tables.

Its argument is the schema's path from the root of the source tree. The schema is the one source: whatever keyword this does not
know stops the build, so that no rule is left out silently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

REPO = Path(__file__).resolve().parent.parent.parent
#: Said elsewhere on the page, or of no interest to its reader.
QUIET = {"$schema", "$id", "$defs", "title", "description", "type", "properties", "required", "additionalProperties"}

Schema = dict[str, Any]


class SchemaError(ValueError):
    """The schema says something that this cannot show."""


class Table:
    def __init__(self, heading: str, rows: list[list[str]], note: str = "") -> None:
        self.heading = heading
        self.rows = rows
        self.note = note


class Reader:
    def __init__(self, schema: Schema) -> None:
        self.root = schema

    def tables(self) -> Iterator[Table]:
        """The document's own table, then those of the objects inside it."""
        yield from self._object("", self.root)

    def _object(self, place: str, schema: Schema) -> Iterator[Table]:
        schema = self._resolved(schema)
        if "oneOf" in schema and "properties" not in schema:
            for number, choice in enumerate(schema["oneOf"], 1):
                kind = choice.get("properties", {}).get("kind", {}).get("const")
                name = f"kind: {kind}" if kind else f"choice {number}"
                yield from self._object(f"{place} ({name})" if place else name, choice)
            return
        required = schema.get("required", [])
        rows, inner = [], []
        for name, field in schema.get("properties", {}).items():
            rows.append([f"``{name}``", "yes" if name in required else "", self._rule(field)])
            below = self._below(field)
            if below is not None:
                inner.append((f"{place}/{name}" if place else name, *below))
        closed = schema.get("additionalProperties") is False
        yield Table(place, rows, "Other fields are errors." if closed else "")
        for where, suffix, below in inner:
            yield from self._object(where + suffix, below)

    def _below(self, field: Schema) -> tuple[str, Schema] | None:
        field = self._resolved(field)
        if "properties" in field:
            return "", field
        items = self._resolved(field.get("items", {}))
        return ("[]", items) if "properties" in items or "oneOf" in items else None

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        found: Any = self.root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}

    def _rule(self, field: Schema) -> str:
        field = self._resolved(field)
        parts = (
            [field["type"]] if "type" in field else ([] if field.keys() & {"const", "enum", "oneOf"} else ["any JSON"])
        )
        for key, value in field.items():
            match key:
                case "const":
                    parts.append(f"``{json.dumps(value)}``")
                case "enum":
                    parts.append("one of " + ", ".join(f"``{json.dumps(each)}``" for each in value))
                case "pattern":
                    parts.append("checked by a pattern")
                case "minLength":
                    parts.append("not empty" if value == 1 else f"at least {value} characters")
                case "maxLength":
                    parts.append(f"at most {value} characters")
                case "minimum":
                    parts.append(f"at least {value}")
                case "maximum":
                    parts.append(f"at most {value}")
                case "minItems":
                    parts.append(f"at least {value}")
                case "maxItems":
                    parts.append(f"at most {value}")
                case "format" | "contentEncoding":
                    parts.append(str(value))
                case "items":
                    parts.append("of " + self._short(value))
                case "anyOf" | "oneOf":
                    parts.append("one of several forms")
                case _ if key not in QUIET:
                    raise SchemaError(f"docs/_ext/schema_tables.py does not know the keyword {key!r}: teach it")
        text = ", ".join(dict.fromkeys(parts))
        return f"{text}. {field['description']}" if field.get("description") else text

    def _short(self, schema: Schema) -> str:
        resolved = self._resolved(schema)
        return str(resolved.get("type", "objects of several kinds")) + ("s" if "type" in resolved else "")


class SchemaTable(SphinxDirective):
    """Shows one schema."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        path = REPO / self.arguments[0]
        self.env.note_dependency(str(path))
        schema = json.loads(path.read_text("utf-8"))
        lines = [schema.get("description", ""), ""]
        try:
            tables = list(Reader(schema).tables())
        except SchemaError as error:
            raise self.error(f"{path}: {error}") from error
        for table in tables:
            if table.heading:
                lines += [f"**{table.heading}**", ""]
            lines += [".. list-table::", "   :header-rows: 1", "   :widths: 22 12 66", ""]
            for row in [["field", "required", "rule"], *table.rows]:
                lines += [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(row)]
            lines += ["", table.note, ""]
        return self.parse_rst(lines, path)

    def parse_rst(self, lines: list[str], path: Path) -> list[nodes.Node]:
        # The surrounding page is MyST; a list-table is reStructuredText.
        from docutils.frontend import get_default_settings
        from docutils.parsers.rst import Parser
        from docutils.utils import new_document

        document = new_document(str(path), get_default_settings(Parser))
        document.reporter = self.state.document.reporter
        Parser().parse("\n".join(StringList(lines, str(path))), document)
        return list(document.children)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("schema-table", SchemaTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
