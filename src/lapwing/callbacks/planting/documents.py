"""Word, Excel and PDF documents that fetch something when they are opened.

Written part by part: what makes them call back, a picture that lies elsewhere, is what libraries for documents leave
out. Parts and relationships follow ECMA-376; the PDF follows ISO 32000-1.
"""

from collections.abc import Mapping
from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lapwing.callbacks.planting.names import Artefact, Grain, Names, Wishes
from lapwing.callbacks.planting.pages import PICTURE

ZIP_TIME = (2024, 1, 2, 9, 0, 0)  # of every part: the time of planting is nobody's business

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_VND = "application/vnd.openxmlformats-officedocument"
_EMU = 9525  # English metric units per pixel


def word(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001 - all kinds are made alike
    """A Word document with a linked picture."""
    title = escape(wishes.title or "Notes")
    picture = (
        f'<w:r><w:drawing><wp:inline><wp:extent cx="{_EMU}" cy="{_EMU}"/><wp:docPr id="1" name="Picture 1"/>'
        f'<a:graphic><a:graphicData uri="{_DRAWING}/picture">{_picture("pic:pic")}</a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )
    body = (
        f'{_XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        f'xmlns:r="{_OFFICE}" xmlns:wp="{_DRAWING}/wordprocessingDrawing" xmlns:a="{_DRAWING}/main" '
        f'xmlns:pic="{_DRAWING}/picture"><w:body><w:p><w:r><w:t>{title}</w:t></w:r>{picture}</w:p><w:sectPr/>'
        "</w:body></w:document>"
    )
    parts = {
        "[Content_Types].xml": _types({"/word/document.xml": f"{_VND}.wordprocessingml.document.main+xml"}),
        "_rels/.rels": _relations(("officeDocument", "word/document.xml", False)),
        "word/document.xml": body,
        "word/_rels/document.xml.rels": _relations(("image", names.url("/header.png"), True)),
    }
    return Artefact(names.url("/"), "notes.docx", _zip(parts), PICTURE)


def excel(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """An Excel workbook with a linked picture."""
    title = escape(wishes.title or "Accounts")
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = (
        f'{_XML}<worksheet xmlns="{main}" xmlns:r="{_OFFICE}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'
        f'{title}</t></is></c></row></sheetData><drawing r:id="rId1"/></worksheet>'
    )
    anchor = "<xdr:col>{0}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{0}</xdr:row><xdr:rowOff>0</xdr:rowOff>"
    drawing = (
        f'{_XML}<xdr:wsDr xmlns:xdr="{_DRAWING}/spreadsheetDrawing" xmlns:a="{_DRAWING}/main" xmlns:r="{_OFFICE}">'
        f"<xdr:twoCellAnchor><xdr:from>{anchor.format(1)}</xdr:from><xdr:to>{anchor.format(2)}</xdr:to>"
        f"{_picture('xdr:pic')}<xdr:clientData/></xdr:twoCellAnchor></xdr:wsDr>"
    )
    parts = {
        "[Content_Types].xml": _types(
            {
                "/xl/workbook.xml": f"{_VND}.spreadsheetml.sheet.main+xml",
                "/xl/worksheets/sheet1.xml": f"{_VND}.spreadsheetml.worksheet+xml",
                "/xl/drawings/drawing1.xml": f"{_VND}.drawing+xml",
            }
        ),
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml", False)),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Accounts" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(("worksheet", "worksheets/sheet1.xml", False)),
        "xl/worksheets/sheet1.xml": sheet,
        "xl/worksheets/_rels/sheet1.xml.rels": _relations(("drawing", "../drawings/drawing1.xml", False)),
        "xl/drawings/drawing1.xml": drawing,
        "xl/drawings/_rels/drawing1.xml.rels": _relations(("image", names.url("/header.png"), True)),
    }
    return Artefact(names.url("/"), "accounts.xlsx", _zip(parts), PICTURE)


def _picture(element: str) -> str:
    """A picture whose content is the part's first relationship."""
    space = element.partition(":")[0]
    return (
        f'<{element}><{space}:nvPicPr><{space}:cNvPr id="1" name="Picture 1"/><{space}:cNvPicPr/></{space}:nvPicPr>'
        f'<{space}:blipFill><a:blip r:link="rId1"/><a:stretch><a:fillRect/></a:stretch></{space}:blipFill>'
        f'<{space}:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{_EMU}" cy="{_EMU}"/></a:xfrm>'
        f'<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></{space}:spPr></{element}>'
    )


def _types(parts: Mapping[str, str]) -> str:
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items())
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="{rels}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(*relations: tuple[str, str, bool]) -> str:
    """Kind, target and whether it lies outside the package, in order `rId1`, `rId2`..."""
    outside = ' TargetMode="External"'
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{escape(target)}"{outside * external}/>'
        for number, (kind, target, external) in enumerate(relations, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _zip(parts: Mapping[str, str | bytes]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as package:
        for name, content in parts.items():
            info = ZipInfo(name, ZIP_TIME)
            info.compress_type = ZIP_DEFLATED
            package.writestr(info, content)
    return packed.getvalue()


def pdf(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A PDF that asks its viewer to open an address, and shows a link to it."""
    link = _pdf_text(names.url("/"))
    shown = _pdf_text(wishes.title or "Notes")
    text = f"BT /F1 18 Tf 72 720 Td {shown} Tj ET".encode("latin-1")
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /URI /URI {link} >> >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [6 0 R] "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Annot /Subtype /Link /Rect [72 700 300 740] /A << /S /URI /URI {link} >> >>".encode(),
    ]
    out, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return Artefact(names.url("/"), "notes.pdf", bytes(out))


def _pdf_text(text: str) -> str:
    """A literal string (ISO 32000-1 section 7.3.4.2); what Latin-1 has no letter for is a question mark."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    escaped = plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"({escaped})".replace("\r", " ").replace("\n", " ")
