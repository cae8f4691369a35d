"""Pictures of the gallery: the value of a cell's last line, as a notebook would show it."""

import ast
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst


def shown(block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
    """Save the picture that the cell's last line shows of itself, and return its place in the page."""
    body = ast.parse(block[1]).body
    value = block_vars["example_globals"].get("___")
    png = getattr(value, "_repr_png_", None)
    found = png() if png and body and isinstance(body[-1], ast.Expr) else None
    if found is None:
        return ""
    path = Path(next(block_vars["image_path_iterator"]))
    path.write_bytes(found[0] if isinstance(found, tuple) else found)
    return str(figure_rst([str(path)], gallery_conf["src_dir"]))
