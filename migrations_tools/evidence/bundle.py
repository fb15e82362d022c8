"""The bundle as a file: written once, signed with this installation's key, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.core.signing import BadSignature, Signer
from django.template.loader import render_to_string

from migrations_tools.evidence.gathering import FORMAT, VERSION, chained
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import CarryoverError
from migrations_tools.pdf import PDFUnavailable, render_pdf

#: Larger files in a bundle are an attack on the reader's memory. Bytes.
MOST_BYTES: Final = 64 * 1024 * 1024

#: Transitions in the PDF, the newest: a run that was throttled for days has thousands, and a page
#: of PDF takes a second to be made. The other files have all.
MOST_IN_PDF: Final = 100

_EVIDENCE, _HTML, _PDF, _MANIFEST = "evidence.json", "report.html", "report.pdf", "manifest.json"
_DAMAGED = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, NotImplementedError, RuntimeError)


class BundleRefused(CarryoverError):
    """The bundle cannot be written or read."""

    code = "bundle_refused"
    http_status = 422


@in_evidence_language
def write_bundle(evidence: dict[str, Any], path: Path) -> dict[str, Any]:
    """Write a ZIP of the evidence as JSON, HTML and, where it can be made, PDF.

    ``manifest.json`` has the SHA-256 of each and a signature that only this installation can make.
    Refuses to overwrite a file. The answer names the file, what is in it, and the chain's head.
    It takes as long for a run of a million keys as for one of ten: there are sums in it, no rows.
    """
    html = report_html(evidence)
    text = json.dumps(evidence, ensure_ascii=False, indent=1)
    contents = {_EVIDENCE: text.encode(), _HTML: html.encode()}
    with suppress(PDFUnavailable):
        contents[_PDF] = render_pdf(report_html(evidence, most=MOST_IN_PDF))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = {"files": digests, "signature": _signer().signature(_signed(digests))}
    contents[_MANIFEST] = json.dumps(manifest, indent=1).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        told = f"{path} cannot be written: {error.strerror}."
        raise BundleRefused(told, file=str(path)) from error
    with (
        os.fdopen(descriptor, "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle,
    ):
        for name, content in contents.items():
            bundle.writestr(name, content)
    return {"file": str(path), "files": sorted(digests), "head": evidence["head"]}


def report_html(evidence: dict[str, Any], *, most: int | None = None) -> str:
    """The evidence to read, with its newest ``most`` transitions or all."""
    transitions = evidence["transitions"]
    shown = transitions if most is None else transitions[-most:]
    context = {"evidence": evidence, "shown": shown, "left_out": len(transitions) - len(shown)}
    return render_to_string("migrations_tools/evidence.html", context)


def check_bundle(path: Path) -> dict[str, Any]:
    """Whether the bundle is as this installation wrote it; what is not is told in ``faults``."""
    faults: list[str] = []
    evidence: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as bundle:
            manifest = json.loads(_read(bundle, _MANIFEST))
            digests = dict(manifest["files"])
            faults += _wrong_files(bundle, digests)
            if not _is_signed(digests, str(manifest["signature"])):
                faults.append("The signature is not this installation's.")
            evidence = json.loads(_read(bundle, _EVIDENCE))
        faults += _wrong_evidence(evidence)
    except OSError as error:
        raise BundleRefused(f"{path} cannot be read: {error.strerror or error}.") from error
    except (*_DAMAGED, TypeError, AttributeError) as error:
        faults.append(f"It is no whole evidence bundle: {error}")
    run = evidence.get("run") if isinstance(evidence, dict) else None
    return {
        "file": str(path),
        "ok": not faults,
        "run": run.get("run") if isinstance(run, dict) else None,
        "faults": faults,
    }


def _read(bundle: zipfile.ZipFile, name: str) -> bytes:
    if bundle.getinfo(name).file_size > MOST_BYTES:
        raise ValueError(f"{name} is larger than {MOST_BYTES >> 20} MB")
    with bundle.open(name) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name} is larger than it says")
    return content


def _wrong_files(bundle: zipfile.ZipFile, digests: dict[str, str]) -> list[str]:
    there = sorted(name for name in bundle.namelist() if name != _MANIFEST)
    if there != sorted(digests):
        return [f"It has {', '.join(there)}; the manifest names {', '.join(sorted(digests))}."]
    return [
        f"{name} was changed."
        for name, digest in digests.items()
        if hashlib.sha256(_read(bundle, name)).hexdigest() != digest
    ]


def _wrong_evidence(evidence: dict[str, Any]) -> list[str]:
    if (evidence["format"], evidence["version"]) != (FORMAT, VERSION):
        return ["The evidence is of another format."]
    told = evidence["transitions"]
    if chained(told) != told or evidence["head"] != (told[-1]["hash"] if told else ""):
        return ["The chain of transitions is broken."]
    return []


def _signer() -> Signer:
    return Signer(salt="migrations_tools.evidence")


def _signed(digests: dict[str, str]) -> str:
    return json.dumps(digests, sort_keys=True)


def _is_signed(digests: dict[str, str], signature: str) -> bool:
    signer = _signer()
    try:
        signer.unsign(f"{_signed(digests)}{signer.sep}{signature}")
    except BadSignature:
        return False
    return True
