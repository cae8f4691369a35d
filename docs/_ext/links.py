"""Check a built site: every link within it leads somewhere, and it loads nothing from elsewhere.

Run it: ``python docs/_ext/links.py docs/_build/html``. Links to other sites are not followed.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """The anchors of a page, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, links to and loads."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif tag == "a" and name == "href":
                self.links.append(value or "")
            elif (tag, name) in LOADS:
                self.loads.append(value or "")


def faults(root: Path) -> Iterator[str]:
    """Yield a sentence for every link that leads nowhere and everything loaded from elsewhere."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("*.html"))
        if path.parent.name != "_static"
    }
    for path, page in pages.items():
        where = path.relative_to(root)
        for address in page.loads:
            if urlsplit(address).netloc:
                yield f"{where} loads {address} from another server"
        for address in sorted({*page.links, *page.loads}):
            if not leads_somewhere(address, path, pages):
                yield f"{where} links to {address}, which is not there"


def leads_somewhere(address: str, origin: Path, pages: dict[Path, Page]) -> bool:
    """Return whether an address within the site exists; addresses elsewhere are taken to."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address in ("", "#"):
        return True
    target = (origin.parent / unquote(parts.path)).resolve() if parts.path else origin
    target = target / "index.html" if target.is_dir() else target
    if target not in pages:
        return target.exists()
    return not parts.fragment or unquote(parts.fragment) in pages[target].anchors


def main() -> int:
    """Print the faults of the site named on the command line; the exit code says if there are any."""
    found = list(faults(Path(sys.argv[1]).resolve()))
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
