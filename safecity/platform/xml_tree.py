"""XML from strangers, read with bounds: no DTD, no entities, no network, so deep and so large and no more.

What is read becomes plain values (`Element`), so that nothing behind this file knows which parser did it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from safecity.platform.errors import Invalid

MAX_BYTES: Final = 2 * 1024**2
MAX_ELEMENTS: Final = 20_000
MAX_DEPTH: Final = 64
MAX_TEXT_CHARACTERS: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: names without prefixes, text without the blanks around it."""

    name: str
    namespace: str
    text: str
    attributes: Mapping[str, str]
    """By local name; of two that differ in their namespace only, the first."""
    children: tuple["Element", ...]

    def find(self, path: str) -> "Element | None":
        """The first element at a path of local names (`Body/GetProfilesResponse`), whatever their namespaces."""
        return next(self.each(path), None)

    def each(self, path: str) -> Iterator["Element"]:
        """All elements at a path of local names, in the order of the document."""
        head, _, rest = path.partition("/")
        for child in self.children:
            if child.name == head:
                if rest:
                    yield from child.each(rest)
                else:
                    yield child

    def text_at(self, path: str, default: str = "") -> str:
        """The text of the first element at a path."""
        found = self.find(path)
        return found.text if found is not None else default

    def anywhere(self, name: str) -> Iterator["Element"]:
        """All elements with that local name below this one, at any depth."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.anywhere(name)


def parse_xml(data: bytes, *, mends: bool = False) -> Element:
    """Read a document; `mends` takes what is not well-formed as far as it can be understood.

    Raises Invalid (`platform.xml`) for what is no XML, declares a document type, or breaks a limit.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"the XML is larger than {MAX_BYTES} bytes", code="platform.xml")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=mends,
    )
    try:
        root = etree.fromstring(data.strip(b"\0 \t\r\n\xef\xbb\xbf"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Invalid("this is no well-formed XML", code="platform.xml") from error
    if root is None:
        raise Invalid("this is no XML", code="platform.xml")
    information = root.getroottree().docinfo
    if information.internalDTD is not None or information.doctype:
        raise Invalid("XML with a document type is not read", code="platform.xml")
    return _Reader().read(root, 0)


class _Reader:
    def __init__(self) -> None:
        self._elements = 0
        self._characters = 0

    def read(self, node: object, depth: int) -> Element:
        self._elements += 1
        if depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Invalid("the XML has too many elements, or too deep ones", code="platform.xml")
        element = cast("etree._Element", node)
        text = str(element.text or "").strip()
        self._characters += len(text)
        if self._characters > MAX_TEXT_CHARACTERS:
            raise Invalid("the XML holds too much text", code="platform.xml")
        attributes: dict[str, str] = {}
        for key, value in element.attrib.items():
            attributes.setdefault(_split(str(key))[1], str(value))
        namespace, name = _split(str(element.tag))
        children = tuple(self.read(child, depth + 1) for child in element if isinstance(child.tag, str))
        return Element(name=name, namespace=namespace, text=text, attributes=attributes, children=children)


def _split(tag: str) -> tuple[str, str]:
    """`{namespace}name` in its two parts; a prefix that nobody declared (mended XML) is cut off."""
    namespace, _, name = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
    return namespace, name.rpartition(":")[2]
