"""Data at an address (`https://`, `s3://`, `gs://`, what fsspec knows): fetched once into the cache, then read there.

    address --ask for sizes and marks of change--> the cache's folder of these --fetch, if there is none--> a local path

What is in the cache is whole: it gets its place when all is fetched and every size fits. It is fetched again when the
server says another size, ETag, checksum or time of change. fsspec comes with torch; `http` needs aiohttp (`[remote]`),
`s3` the package s3fs, `gs` gcsfs.
"""

import errno
import hashlib
import json
import logging
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from replearn.data.cache import cached
from replearn.data.needed import EXTRAS, missing
from replearn.data.progress import progress
from replearn.data.tar_files import expanded

log = logging.getLogger("replearn")

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# What tells one content from another, by the names that file systems give it.
MARKS = (
    *("ETag", "etag", "Content-MD5", "Digest", "md5Hash", "crc32c", "generation", "VersionId", "content_md5"),
    *("Last-Modified", "LastModified", "last_modified", "mtime", "updated", "modified", "created"),
)
PACKAGES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
MEGABYTE = 1e6


def is_address(data: Any) -> bool:
    """Whether this is an address, not a path.

    >>> is_address("s3://bucket/photos.zip"), is_address("photos.zip"), is_address("digits:test")
    (True, False, False)
    """
    return isinstance(data, str) and bool(ADDRESS.match(data))


def local_path(data: str | Path) -> Path:
    """The path of data: as it is, or where in the cache that lies which is at an address.

    Raises:
        ValueError: nothing is there, it can't be read, or a package is missing.
        CacheError: the cache can't be written.
    """
    if not isinstance(data, str) or not is_address(data):
        return Path(data).expanduser()
    system, files = _listed(data)
    if system is None:
        return Path(files).expanduser()
    told, name = shown_address(data), _name(data)
    stamp = json.dumps([data, sorted((inner, _marks(info)) for inner, (_, info) in files.items())])
    key = "remote-" + hashlib.blake2b(stamp.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def build(folder: Path) -> None:
        total = sum(info.get("size") or 0 for _, info in files.values())
        log.info(
            "%s: %s MB in %s are fetched into the cache",
            *(told, f"{total / MEGABYTE:,.1f}", "one file" if len(files) == 1 else f"{len(files):,} files"),
        )
        unmarked = sum(not any(info.get(mark) for mark in MARKS) for _, info in files.values())
        if unmarked:
            log.warning(
                "%s: of %d files the server gives neither a checksum nor a time of change: a change that keeps the "
                "size goes unnoticed",
                *(told, unmarked),
            )
        with progress(f"fetching {name}", total or None) as advance:
            for inner, (remote, info) in files.items():
                place = folder / name / inner if inner else folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                _fetch(system, remote, info, place, told)
                advance(place.stat().st_size)

    return cached(key, build) / name


def here(data: Any) -> Any:
    """What is at an address as the path of its copy in the cache; all else as it is."""
    return local_path(data) if is_address(data) else data


def shown_address(address: str) -> str:
    """An address without what may be secret in it.

    >>> shown_address("https://me:secret@host/a.zip?token=secret")
    'https://host/a.zip'
    >>> shown_address("photos/")
    'photos/'
    """
    if "://" not in address:
        return address
    *outer, last = address.split("://")  # of a file within another: zip://in.png::https://...
    place, slash, path = last.partition("/")
    return "://".join([*outer, f"{place.rpartition('@')[2]}{slash}{path.partition('?')[0]}"])


def _listed(address: str) -> tuple[Any, Any]:
    """The file system, and by their names below the address its files, or one of name ""; None and a path of ours."""
    import fsspec
    from fsspec.core import url_to_fs

    scheme = address.partition("://")[0].lower()
    told = shown_address(address)
    try:
        addresses = expanded(address)
        system, path = url_to_fs(addresses[0])
    except ImportError as error:
        raise _missing(scheme) from error
    except ValueError as error:
        if "rotocol" not in str(error):
            raise
        known = ", ".join(f"{name}://" for name in ("http", "https", "s3", "gs"))
        raise ValueError(f"an address must be one that fsspec knows, such as {known}; got {told}.") from error
    if isinstance(system, fsspec.implementations.local.LocalFileSystem):
        return None, address.partition("://")[2]
    try:
        # What was listed before may have changed.
        system.invalidate_cache()
        if len(addresses) > 1:
            width = len(str(len(addresses) - 1))
            with progress(f"looking at {told}", len(addresses)) as advance:
                found = {}
                for number, one in enumerate(addresses):
                    remote = url_to_fs(one)[1]
                    found[f"{number:0{width}}-{_name(one)}"] = (remote, system.info(remote))
                    advance(1)
            return system, found
        info = system.info(path) if not address.endswith("/") else {"type": "directory"}
        if info["type"] == "file":
            return system, {"": (path, info)}
        return system, _below(system, path, told)
    except ImportError as error:
        raise _missing(scheme) from error
    except ValueError:
        raise
    except Exception as error:  # whatever a file system raises
        raise ValueError(_unreachable(told, error)) from error


def _below(system: Any, path: str, told: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """All files below a folder, by their names in it."""
    root = path.rstrip("/") + "/"
    listed, found, left_out = system.find(path, detail=True), {}, 0
    with progress(f"looking at {told}", len(listed)) as advance:
        for name, info in listed.items():
            advance(1)
            inner = unquote(name.removeprefix(root)) if "://" in name else name.removeprefix(root)
            parts = PurePosixPath(inner).parts
            asks = "://" in name and "?" in name  # how servers sort their own listings
            if not name.startswith(root) or asks or ".." in parts or inner.startswith("/") or not parts:
                left_out += 1
                continue
            found[inner] = (name, info if any(info.get(mark) for mark in MARKS) else system.info(name))
    if left_out:
        log.info("%s: %d of %d names in its list are no files below it", told, left_out, len(listed))
    if not found:
        raise ValueError(f"a folder must list at least one file; {told} lists none. Name a file.")
    return dict(sorted(found.items()))


def _fetch(system: Any, remote: str, info: dict[str, Any], place: Path, told: str) -> None:
    """Fetch a file, and see that it is the one that was asked for, whole."""
    try:
        system.get_file(remote, str(place))
        system.invalidate_cache()
        after = system.info(remote)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ValueError(_unreachable(told, error)) from error
    except Exception as error:
        raise ValueError(_unreachable(told, error)) from error
    size, wanted = place.stat().st_size, info.get("size")
    if (wanted is not None and size != wanted) or _changed(info, after):
        raise ValueError(
            f"what is fetched must not change meanwhile, and come whole; of {shown_address(remote)} came {size:,} bytes"
            f"{'' if wanted is None else f' of {wanted:,}'}. Give the command again."
        )


def _marks(info: dict[str, Any]) -> list[str]:
    """What tells a file from what was there before."""
    return [str(info.get("size")), *(f"{mark} {info[mark]}" for mark in MARKS if info.get(mark))]


def _changed(info: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a file is another one than before, by the marks that were told both times, in one form."""
    both = [(info[mark], after[mark]) for mark in MARKS if mark in info and mark in after]
    return any(type(one) is type(other) and one != other for one, other in both)


def _name(address: str) -> str:
    """The last part of an address, by whose ending files are told apart.

    >>> _name("https://host/a/photos.zip?token=1"), _name("s3://bucket/")
    ('photos.zip', 'bucket')
    """
    plain = urlsplit(shown_address(address))
    name = PurePosixPath(unquote(plain.path).rstrip("/")).name.replace("\0", "")
    return (name if name != ".." else "") or plain.netloc or "data"


def _missing(scheme: str) -> ValueError:
    package = PACKAGES.get(scheme)
    if package in EXTRAS:
        return missing(package, f"addresses {scheme}:// need")
    needs = (
        f"need {package}, which is not installed. Run: pip install {package}"
        if package
        else "need a package more"
    )
    return ValueError(f"addresses {scheme}:// {needs}. Or fetch the files yourself, and name their folder.")


def _unreachable(told: str, error: Exception) -> str:
    said = re.sub(r"\S+://\S+", lambda found: shown_address(found[0]), f"{type(error).__name__}: {error}")
    reason = " ".join(said.split())[:200].rstrip(".:")
    return (
        f"an address must lead to a readable file or folder; {told} does not ({reason}). Check the address."
    )
