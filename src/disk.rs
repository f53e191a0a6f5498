//! Files that are written whole, and are readable by their owner only.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How the name of a file ends that is being written and is not in its place yet.
const DRAFT: &str = ".tmp";

/// The largest file that is read of those that leoctl writes, or that stand for one, in bytes.
pub const LARGEST: u64 = 64 << 20;

/// What the disk refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {error}", path.display())]
pub struct Failed {
    /// What was being done.
    pub what: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

/// How the name of such a file begins: it says which file it is to become.
fn draft_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The name of the file that one of this name is to become, where it is such a file.
pub fn becomes(name: &str) -> Option<&str> {
    let (becomes, random) = name.strip_prefix('.')?.strip_suffix(DRAFT)?.rsplit_once('.')?;
    random.chars().all(|c| c.is_ascii_alphanumeric()).then_some(becomes)
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file so that it is either the old or the new one whatever happens, readable by its owner only. What stood
/// there, a symbolic link too, is replaced and not followed.
///
/// # Errors
/// When the disk refuses.
pub fn replace(path: &Path, text: &str) -> Result<(), Failed> {
    put(path, text, None)
}

/// Writes a file anew that somebody else made, so that it is either the old or the new one whatever happens: it keeps its
/// permissions, and a symbolic link is followed.
///
/// # Errors
/// When the disk refuses.
pub fn rewrite(path: &Path, text: &str) -> Result<(), Failed> {
    let failed = |error| Failed { what: "read", path: path.to_owned(), error };
    let path = std::fs::canonicalize(path).map_err(failed)?;
    let permissions = std::fs::metadata(&path).map_err(failed)?.permissions();
    put(&path, text, Some(permissions))
}

fn put(path: &Path, text: &str, permissions: Option<Permissions>) -> Result<(), Failed> {
    let failed = |what, path: &Path, error| Failed { what, path: path.to_owned(), error };
    let folder = folder(path);
    // A temporary file is created readable by its owner only.
    let mut file = tempfile::Builder::new()
        .prefix(&draft_prefix(path))
        .suffix(DRAFT)
        .tempfile_in(folder)
        .map_err(|error| failed("create a file beside", path, error))?;
    let written = file.write_all(text.as_bytes());
    let permitted = written.and_then(|()| permissions.map_or(Ok(()), |permissions| file.as_file().set_permissions(permissions)));
    permitted.and_then(|()| file.as_file().sync_all()).map_err(|error| failed("write", path, error))?;
    file.persist(path).map_err(|error| failed("replace", path, error.error))?;
    // The rename itself is durable once the directory is.
    File::open(folder).and_then(|directory| directory.sync_all()).map_err(|error| failed("sync", folder, error))
}

/// What a file has that somebody named on the command line, where it may be a pipe.
///
/// # Errors
/// When it cannot be read, or has more bytes than `most`: no more than that are read.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?, most)
}

/// The same as text.
///
/// # Errors
/// As there, and when it is no text.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read_bounded(path, most)?).map_err(not_text)
}

/// What a file has that was named in another file: a regular one, for a pipe or a device may never end.
///
/// # Errors
/// As [`read_bounded`], and when it is something else than a regular file.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Opening a pipe already waits for who writes into it.
    match std::fs::metadata(path)? {
        kind if kind.is_dir() => Err(io::Error::other("it is a folder")),
        kind if !kind.is_file() => Err(io::Error::other("it is no regular file, but a pipe or a device")),
        _ => read_bounded(path, most),
    }
}

/// All that is read from a source, which may have at most so many bytes.
///
/// # Errors
/// As [`read_bounded`].
pub fn bounded(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes, which is too large")));
    }
    Ok(bytes)
}

/// Why a file cannot be read, in words.
pub fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}

/// Makes a file that is created readable by its owner only. A symbolic link in its place is not followed: what it leads to is
/// nothing of leoctl's.
#[cfg(unix)]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    options.mode(0o600).custom_flags(no_link)
}

/// Makes a file that is created readable by its owner only.
#[cfg(not(unix))]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
