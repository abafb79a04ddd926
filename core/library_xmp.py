"""Alternative texts as XMP files beside pictures, where photo programs and web sites read them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lxml import etree

from core.drafts import remove_drafts
from core.errors import SeesayError
from core.library_out import Out, replace_file

_X = "adobe:ns:meta/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# IPTC Photo Metadata Standard 2021.1.
_IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PROPERTY = f"{{{_IPTC}}}AltTextAccessibility"
_EMPTY = f'<x:xmpmeta xmlns:x="{_X}"><rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta>'.encode()


class Sidecars(Out):
    """``photo.jpg.xmp`` for ``photo.jpg``, with the IPTC property ``AltTextAccessibility``.

    A file that is there keeps everything else in it; one that has an alternative text already, such
    as one that a person wrote, is left as it is. Pictures of which nothing can be said get no file.

    Args:
        folder: gets the files, in folders like those of the library; or the library's own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def done(self, names: Collection[str]) -> set[str]:
        """As for every `Out`; by the files beside these names, wherever links lead."""
        paths = {name: self._path(name) for name in names}
        for folder in {path.parent for path in paths.values()}:
            remove_drafts(folder.glob(".*.xmp.*.draft"))
        return {name for name, path in paths.items() if _has_text_there(path)}

    def write(self, name: str, result: dict[str, Any]) -> None:
        """As for every `Out`."""
        if result.get("caption") is None:
            return
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_bytes() if path.exists() else _EMPTY
            tree = etree.fromstring(before, _parser())
            rdf = tree if tree.tag == f"{{{_RDF}}}RDF" else tree.find(f"{{{_RDF}}}RDF")
            if rdf is None:
                raise ValueError("no XMP")
        except (etree.XMLSyntaxError, ValueError):
            raise SeesayError(f"{path} is there and is no XMP: put it elsewhere.") from None
        except OSError as error:
            raise SeesayError(
                f"{path} cannot be read or made ({error.strerror}): check the permissions."
            ) from error
        if _has_text(tree):  # since this run began
            return
        about = {f"{{{_RDF}}}about": ""}
        spaces = {"Iptc4xmpCore": _IPTC}
        description = etree.SubElement(rdf, f"{{{_RDF}}}Description", about, spaces)
        choices = etree.SubElement(etree.SubElement(description, _PROPERTY), f"{{{_RDF}}}Alt")
        text = etree.SubElement(choices, f"{{{_RDF}}}li", {_LANGUAGE: "x-default"})
        text.text = result["spoken"]
        replace_file(path, _whole(tree))

    def close(self) -> None:
        """As for every `Out`."""

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.xmp"


def _has_text_there(path: Path) -> bool:
    try:
        return _has_text(etree.parse(path, _parser()).getroot())
    except (etree.XMLSyntaxError, OSError):
        return False


def _has_text(tree: etree._Element) -> bool:
    return tree.find(f".//{_PROPERTY}") is not None


def _whole(tree: etree._Element) -> bytes:
    """The file of a tree, with what stands before and after it, such as ``<?xpacket ...?>``."""
    return etree.tostring(tree.getroottree(), encoding="UTF-8", xml_declaration=True)


def _parser() -> etree.XMLParser:
    # Nothing is fetched, and nothing grows: the file may be anybody's.
    return etree.XMLParser(resolve_entities=False, no_network=True)
