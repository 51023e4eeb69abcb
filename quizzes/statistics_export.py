"""Statistics for other programs: CSV, and usage data as QTI 3 has it."""

from __future__ import annotations

import csv
import io

from lxml import etree

from quizzes.flags import flags
from quizzes.statistics_store import Results, VersionStatistics

NAMESPACE = "http://www.imsglobal.org/xsd/imsqti_usagedata_v3p0"
_SCHEMA = f"{NAMESPACE} https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_usagedatav3p0_v1p0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_EMPTY = f'<usageData xmlns="{NAMESPACE}" xmlns:xsi="{_INSTANCE}" xsi:schemaLocation="{_SCHEMA}"/>'
_GLOSSARY = "http://www.imsglobal.org/qti/qtiv3p0/imsqti_usagedatav3p0_{}statisticsglossary_v1p0"
_COLUMNS = (
    *("question", "version", "n", "right", "omitted", "facility", "facility_low", "facility_high", "mean_credit"),
    *("discrimination", "upper_lower_27", "efficiency", "median_seconds", "flags", "option", "key", "count"),
    *("lower_third", "middle_third", "upper_third", "option_correlation"),
)


def as_csv(results: Results, seconds_an_item: float) -> str:
    """Return one line for each option of each version; an item without options has one line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for version in _ordered(results):
        first = _item_cells(version, seconds_an_item)
        for option in version.item.options:
            key = int(option.letter in version.key)
            writer.writerow([*first, option.letter, key, option.count, *option.thirds, _cell(option.correlation)])
        if not version.item.options:
            writer.writerow([*first, *[""] * 7])
    return text.getvalue()


def as_usage_data(results: Results, context: str) -> bytes:
    """Return the usage data of 1EdTech's QTI 3, with the names of its glossaries; ``context`` is the exam's address.

    The average item score (AIS) of each version, and for each option the number choosing it and the point-biserial
    correlation with the rest score; that of the key is the item's discrimination where one option is right.
    """
    root = etree.fromstring(_EMPTY)
    shared = {"context": context, "lastUpdated": f"{results.computed_at:%Y-%m-%d}"}
    for version in _ordered(results):
        item, name = version.item, f"{version.question_id}.{version.fingerprint[:12]}"
        target, asked = {"identifier": name, "objectType": "item"}, {**shared, "caseCount": str(item.n)}
        deviation = f"{(item.facility * (1 - item.facility)) ** 0.5:.6f}"
        _add(root, {"name": "AIS", **asked, "stdDeviation": deviation}, target, item.facility)
        for option in item.options:
            part = {**target, "partIdentifier": option.letter}
            _add(root, {"name": "NumberChoosingResponse", **asked}, part, option.count)
            if option.correlation is not None:
                _add(root, {"name": "PTbis-Response", **asked}, part, option.correlation)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _add(root: etree._Element, about: dict[str, str], target: dict[str, str], value: float) -> None:
    glossary = _GLOSSARY.format("distractor" if "partIdentifier" in target else "item")
    statistic = etree.SubElement(root, f"{{{NAMESPACE}}}ordinaryStatistic", {**about, "glossary": glossary})
    etree.SubElement(statistic, f"{{{NAMESPACE}}}targetObject", target)
    etree.SubElement(statistic, f"{{{NAMESPACE}}}value").text = f"{value:.6g}"


def _ordered(results: Results) -> list[VersionStatistics]:
    return sorted(results.versions, key=lambda one: (one.question_id, one.number))


def _item_cells(version: VersionStatistics, seconds_an_item: float) -> list[object]:
    item = version.item
    shares = (item.facility, *item.interval, item.credit, item.discrimination, item.upper_lower, item.efficiency)
    rules = " ".join(
        flag.rule + (f":{flag.letters}" if flag.letters else "") for flag in flags(version, seconds_an_item)
    )
    return [
        version.question_id,
        version.fingerprint[:12],
        item.n,
        item.right,
        item.omitted,
        *(_cell(share) for share in shares),
        "" if item.seconds is None else item.seconds,
        rules,
    ]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
