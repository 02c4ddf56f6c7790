"""Zip files whose bytes depend on nothing but what is put into them."""

import io
import zipfile


def add(archive, name, content, method=zipfile.ZIP_STORED):
    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)


def zipped(members, method=zipfile.ZIP_STORED, comment=b""):
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in members.items():
            add(archive, name, content, method)
        archive.comment = comment
    return stored.getvalue()
