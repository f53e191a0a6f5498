//! Files that are written whole, and are readable by their owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How the name of a file ends that is being written and is not in its place yet.
pub const DRAFT: &str = ".tmp";

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
pub fn draft_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
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
    let failed = |what, path: &Path, error| Failed { what, path: path.to_owned(), error };
    let folder = folder(path);
    // A temporary file is created readable by its owner only.
    let mut file = tempfile::Builder::new()
        .prefix(&draft_prefix(path))
        .suffix(DRAFT)
        .tempfile_in(folder)
        .map_err(|error| failed("create a file beside", path, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(|error| failed("write", path, error))?;
    file.persist(path).map_err(|error| failed("replace", path, error.error))?;
    // The rename itself is durable once the directory is.
    File::open(folder).and_then(|directory| directory.sync_all()).map_err(|error| failed("sync", folder, error))
}

/// Makes a file that is created readable by its owner only.
#[cfg(unix)]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

/// Makes a file that is created readable by its owner only.
#[cfg(not(unix))]
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
