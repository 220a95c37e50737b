"""Metadata hook: the package says where its project is, and the README's links lead there from wherever it is shown.

The address is that of the clone's remote `origin`, so that a fork's package names the fork. In a source distribution it
is there already, and hatchling takes it from `PKG-INFO`. Without an address there are no URLs, and links stay as they are.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_REMOTES = (
    re.compile(r"https?://(?:[^@/]*@)?(?P<host>[^/@]+)/(?P<path>.+)"),
    re.compile(r"ssh://(?:[^@/]*@)?(?P<host>[^/@:]+)(?::\d+)?/(?P<path>.+)"),
    re.compile(r"(?:[^@/:]+@)?(?P<host>[^/@:]+\.[^/@:]+):(?P<path>[^/].*)"),
)
_RELATIVE_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!#|[a-z][a-z0-9+.-]*:)(?P<path>[^)\s]+)\)")


class AddressHook(MetadataHookInterface):
    """Fills in `urls` and `readme`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set those of the two fields that a `PKG-INFO` has not set."""
        root = Path(self.root)
        address = web_address(_origin(root))
        if "readme" not in metadata:
            text = (root / "README.md").read_text(encoding="utf-8")
            metadata["readme"] = {"content-type": "text/markdown", "text": with_absolute_links(text, address)}
        if "urls" not in metadata:
            metadata["urls"] = _urls(address) if address else {}


def web_address(remote: str) -> str | None:
    """Return where a browser finds the repository of a remote, without the remote's user or password. None for a folder."""
    for form in _REMOTES:
        if found := form.fullmatch(remote):
            return f"https://{found['host']}/{found['path'].rstrip('/').removesuffix('.git')}"
    return None


def with_absolute_links(markdown: str, address: str | None) -> str:
    """Return the text with its relative links, of files and of pictures, below the repository's newest state."""
    if address is None:
        return markdown

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['text']}]({address}/{kind}/HEAD/{link['path']})"

    return _RELATIVE_LINK.sub(absolute, markdown)


def _urls(address: str) -> dict[str, str]:
    return {
        "Homepage": address,
        "Documentation": f"{address}/blob/HEAD/docs/tasks.md",
        "Changelog": f"{address}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{address}/issues",
        "Source": address,
    }


def _origin(root: Path) -> str:
    """The address of the clone's own remote: not of a repository that the tree only lies in. Empty where there is none."""
    if not (root / ".git").exists():
        return ""
    try:
        asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()
