"""Archives whose bytes depend on what is in them alone: sorted, owned by nobody, all of one time."""

import gzip
import io
import os
import pathlib
import tarfile
import time
import zipfile


def gzipped(data, level=9):
    """Without a name and a time."""
    return gzip.compress(data, level, mtime=0)


def tar(entries, epoch, folders=()):
    """A tar of entries; `folders` are (name, mode, owner) of folders that are to be in it as well."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for name, mode, owner in folders:
            packed.addfile(described(name, mode, epoch, tarfile.DIRTYPE, owner))
        for entry in entries:
            info = described(entry.name, entry.mode, epoch, tarfile.REGTYPE)
            info.size = len(entry.data)
            packed.addfile(info, io.BytesIO(entry.data))
    return out.getvalue()


def described(name, mode, epoch, kind, owner=0):
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.type, info.uid, info.gid = mode, epoch, kind, owner, owner
    return info


def zipped(entries, epoch, level):
    """A zip of entries. Its times begin in 1980."""
    out = io.BytesIO()
    date = time.gmtime(max(epoch, 315532800))[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, date)
            info.create_system, info.external_attr = 3, (0o100000 | entry.mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED
            packed.writestr(info, entry.data)
    return out.getvalue()


def unfolded(entries, folder, epoch):
    """Writes entries below a folder, for programs that pack folders."""
    for entry in entries:
        path = pathlib.Path(folder, entry.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.data)
        path.chmod(entry.mode)
    for path in [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (epoch, epoch))
