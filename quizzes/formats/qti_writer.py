"""Items as a QTI content package: an item file each, a test that lists them, shared texts, and the manifest.

Elements and their order are those of 1EdTech's Question & Test Interoperability 2.1 (2012), 2.2 (2015) and 3.0 (2022).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from quizzes.formats import writing
from quizzes.formats.qti_item import case_name
from quizzes.formats.qti_item_writer import Names, write_item
from quizzes.formats.reading import Writing
from quizzes.questions import Item

_CARRIED = frozenset({"order", "case", "unit", "rationales", "explanation"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same items make the same bytes."""


@dataclass(frozen=True)
class Version:
    """The names that one version of QTI has for itself."""

    namespace: str
    packaging: str
    schema: str
    schema_version: str
    suffix: str


VERSIONS = {
    "2.1": Version(
        "http://www.imsglobal.org/xsd/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/imscp_v1p1",
        "QTIv2.1 Package",
        "1.0.0",
        "xmlv2p1",
    ),
    "2.2": Version(
        "http://www.imsglobal.org/xsd/imsqti_v2p2",
        "http://www.imsglobal.org/xsd/imscp_v1p1",
        "QTIv2.2 Package",
        "1.0.0",
        "xmlv2p2",
    ),
    "3.0": Version(
        "http://www.imsglobal.org/xsd/imsqtiasi_v3p0",
        "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1",
        "QTI Package",
        "3.0.0",
        "xmlv3p0",
    ),
}


def write(items: Sequence[Item], version: str = "3.0") -> Writing:
    """Return a package of ``version`` (2.1, 2.2 or 3.0), and for each item what it does not carry."""
    names = Names(VERSIONS[version].namespace, modern=version == "3.0", numbered=version != "2.1")
    files = {f"items/{identifier(item)}.xml": _xml(write_item(names, item, identifier(item))) for item in items}
    stimuli = _stimuli(names, items) if names.modern else {}
    files |= stimuli
    files["test.xml"] = _xml(_test(names, items))
    manifest = _manifest(VERSIONS[version], items, modern=names.modern)
    found = []
    for number, item in enumerate(items, 1):
        found += writing.finding(number, item, _lost(names, item), _changed(item))
    return Writing(_zip({"imsmanifest.xml": _xml(manifest), **files}), tuple(found))


def identifier(item: Item) -> str:
    """Return an item's id as QTI allows it: it begins with a letter."""
    name = item.question.id
    return name if re.match(r"[A-Za-z_]", name) else f"item-{name}"


def _lost(names: Names, item: Item) -> list[str]:
    carried = _CARRIED if item.question.kind in ("choice", "matching") else _CARRIED - {"order"}
    lost = writing.lost(item, carried)
    if item.question.kind == "ordering":
        # Kendall's tau cannot be said in rules of scoring.
        lost.append("credit")
    if not names.numbered and "<ol start=" in writing.case_html(item):
        lost.append("numbering")
    return lost


def _changed(item: Item) -> list[str]:
    found = writing.changed(item)
    if any(writing.line_text(one.text) != one.text for one in item.question.targets):
        found.append("partners")
    return found if identifier(item) == item.question.id else [*found, "id"]


def _stimuli(names: Names, items: Sequence[Item]) -> dict[str, bytes]:
    files = {}
    for item in items:
        question = item.question
        if question.stimulus and _case(item) not in files:
            root = names.root("assessmentStimulus", identifier=f"case-{_case(item)}", title=_case(item))
            # A text that shows nothing, such as the definition of a link, still needs a paragraph.
            names.add_html(names.add(root, "stimulusBody"), writing.block_html(question.stimulus) or "<p/>")
            files[f"stimuli/{_case(item)}.xml"] = _xml(root)
    return files


def _case(item: Item) -> str:
    return item.question.case or case_name(item.question.stimulus)


def _test(names: Names, items: Sequence[Item]) -> etree._Element:
    root = names.root("assessmentTest", identifier="test", title="Questions")
    part = names.add(root, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="simultaneous")
    section = names.add(part, "assessmentSection", identifier="section", title="Questions", visible="true")
    for item in items:
        names.add(section, "assessmentItemRef", identifier=identifier(item), href=f"items/{identifier(item)}.xml")
    return root


def _manifest(version: Version, items: Sequence[Item], *, modern: bool) -> etree._Element:
    names = Names(version.packaging)
    root = names.root("manifest", identifier="manifest")
    metadata = names.add(root, "metadata")
    names.add(metadata, "schema").text = version.schema
    names.add(metadata, "schemaversion").text = version.schema_version
    names.add(root, "organizations")
    resources = names.add(root, "resources")
    test = _resource(names, resources, "test", f"imsqti_test_{version.suffix}", "test.xml")
    for item in items:
        names.add(test, "dependency", identifierref=f"resource-{identifier(item)}")
    for case in dict.fromkeys(_case(item) for item in items if modern and item.question.stimulus):
        _resource(names, resources, f"case-{case}", f"imsqti_stimulus_{version.suffix}", f"stimuli/{case}.xml")
    for item in items:
        kind, href = f"imsqti_item_{version.suffix}", f"items/{identifier(item)}.xml"
        resource = _resource(names, resources, identifier(item), kind, href)
        if modern and item.question.stimulus:
            names.add(resource, "dependency", identifierref=f"resource-case-{_case(item)}")
    return root


def _resource(names: Names, resources: etree._Element, name: str, kind: str, href: str) -> etree._Element:
    resource = names.add(resources, "resource", identifier=f"resource-{name}", type=kind, href=href)
    names.add(resource, "file", href=href)
    return resource


def _xml(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _zip(files: dict[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return stream.getvalue()
