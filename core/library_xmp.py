"""Alternative texts as XMP files beside pictures, where photo programs and web sites read them."""

import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from lxml import etree

from core.drafts import remove_drafts
from core.library_out import JsonLines, NotWrittenError, Out, cannot_write
from core.library_place import Place

_X = "adobe:ns:meta/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# IPTC Photo Metadata Standard 2021.1.
_IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PROPERTY = f"{{{_IPTC}}}AltTextAccessibility"
# Whoever has no room for one file has none for the next.
_FULL = (errno.ENOSPC, errno.EDQUOT)
_EMPTY = f'<x:xmpmeta xmlns:x="{_X}"><rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta>'.encode()


class Sidecars(Out):
    """``photo.jpg.xmp`` for ``photo.jpg``, with the IPTC property ``AltTextAccessibility``.

    A file that is there keeps everything else in it; one that has an alternative text already, such
    as one that a person wrote, is left as it is.

    Pictures of which nothing can be said get no such file. They are noted in ``.seesay.jsonl``, or
    each run would caption them again; who wants that, deletes it.

    Args:
        folder: gets the files, in folders like those of the library; or the library's own.

    Raises:
        SeesayError: if it cannot be written, or another run writes there.
    """

    why = "the messages tell why"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        self._place = Place(folder)
        self._unsaid = JsonLines(folder / ".seesay.jsonl")

    def done(self, names: Collection[str]) -> set[str]:
        """As for every `Out`; by the files beside these names, wherever links lead."""
        paths = {name: self._path(name) for name in names}
        for folder in {path.parent for path in paths.values()}:
            remove_drafts(folder.glob(".*.xmp.*.draft"))
        texts = {name for name, path in paths.items() if _has_text_there(path)}
        return texts | self._unsaid.done(names)

    def write(self, name: str, result: dict[str, Any]) -> None:
        """As for every `Out`."""
        if "error" in result:
            raise NotWrittenError(result["error"])
        if result["caption"] is None:
            self._unsaid.write(name, result)
            return
        self._place.check()  # it must not be made anew on another drive
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            tree = etree.fromstring(path.read_bytes() if path.exists() else _EMPTY, _parser())
            if not _has_text(tree):  # which somebody may have written since this run began
                _add_text(tree, result["spoken"])
                _replace_file(path, _whole(tree))
        except (etree.XMLSyntaxError, ValueError):
            raise NotWrittenError(
                f"{_label(path)} is there and is no XMP: put it elsewhere."
            ) from None
        except OSError as error:
            if error.errno in _FULL:
                raise cannot_write(path, error) from error
            raise NotWrittenError(
                f"{_label(path)} cannot be read or made ({error.strerror}): check the permissions."
            ) from error

    def close(self) -> None:
        """As for every `Out`."""
        self._unsaid.close()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.xmp"


def _has_text_there(path: Path) -> bool:
    try:
        # Not by its name, which need not be UTF-8.
        return _has_text(etree.fromstring(path.read_bytes(), _parser()))
    except (etree.XMLSyntaxError, OSError):
        return False


def _has_text(tree: etree._Element) -> bool:
    return tree.find(f".//{_PROPERTY}") is not None


def _add_text(tree: etree._Element, text: str) -> None:
    """Give XMP an alternative text.

    Raises:
        ValueError: if it is no XMP.
    """
    rdf = tree if tree.tag == f"{{{_RDF}}}RDF" else tree.find(f"{{{_RDF}}}RDF")
    if rdf is None:
        raise ValueError("no XMP")
    about = {f"{{{_RDF}}}about": ""}
    spaces = {"Iptc4xmpCore": _IPTC}
    description = etree.SubElement(rdf, f"{{{_RDF}}}Description", about, spaces)
    choices = etree.SubElement(etree.SubElement(description, _PROPERTY), f"{{{_RDF}}}Alt")
    etree.SubElement(choices, f"{{{_RDF}}}li", {_LANGUAGE: "x-default"}).text = text


def _whole(tree: etree._Element) -> bytes:
    """The file of a tree, with what stands before and after it, such as ``<?xpacket ...?>``."""
    return etree.tostring(tree.getroottree(), encoding="UTF-8", xml_declaration=True)


def _parser() -> etree.XMLParser:
    # Nothing is fetched, and nothing grows: the file may be anybody's.
    return etree.XMLParser(resolve_entities=False, no_network=True)


def _replace_file(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, there is the old one or the new, whole.

    A kill may leave a draft behind, for `remove_drafts`.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _label(path: Path) -> str:
    text = str(path)
    return text if text.isprintable() else repr(text)
