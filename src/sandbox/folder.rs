//! The sandbox's folders and files: their owner's alone, and in the hands of one leoctl at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::SandboxError;
use crate::disk::private;

fn cannot(what: &str, path: &Path, error: &io::Error) -> SandboxError {
    SandboxError::new(format!("cannot {what} {}: {error}", path.display()))
}

/// Makes the folder of all sandboxes for its owner alone, when leoctl has made it or nothing is in it. What the user
/// keeps other files in stays as open as it is, and what others may have put files into is not used.
///
/// # Errors
/// When others may read a folder that has other files, or write to one that has any, and those of [`own`].
pub fn own_base(path: &Path, made: bool) -> Result<(), SandboxError> {
    if let Ok(found) = fs::symlink_metadata(path)
        && found.is_dir()
        && found.permissions().mode() & 0o777 != 0o700
        && (!made || found.permissions().mode() & 0o022 != 0)
    {
        let mut entries = fs::read_dir(path).map_err(|error| cannot("look into", path, &error))?;
        if entries.next().is_some() {
            let message = format!("{} has files in it and is open to others, so leoctl does not use it", path.display());
            let help = "set LEOCTL_SANDBOX_DIR to a folder that does not exist yet, such as one in that folder";
            return Err(SandboxError::new(message).help(help));
        }
    }
    own(path)
}

/// Makes a folder for its owner alone, whoever could use it before. Where it is once ours and no one else's, nobody else
/// can put anything into it.
///
/// # Errors
/// When something else stands there, such as a symbolic link or a folder of somebody else's.
pub fn own(path: &Path) -> Result<(), SandboxError> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|error| cannot("create", parent, &error))?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(cannot("create", path, &error)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(|error| cannot("look at", path, &error))?;
    let other = |what: &str| {
        let message = format!("{} is {what}, and the sandbox needs a folder of its own", path.display());
        Err(SandboxError::new(message).help("remove it, or set LEOCTL_SANDBOX_DIR to a folder that is yours alone"))
    };
    match found {
        _ if found.is_symlink() => other("a symbolic link"),
        _ if !found.is_dir() => other("no folder"),
        _ if found.uid() != rustix::process::geteuid().as_raw() => other("somebody else's"),
        _ => narrow(path, &found, 0o700),
    }
}

/// Checks that what is there, a link among it, was put there by nobody else.
///
/// # Errors
/// When it was.
pub fn made_by_us(path: &Path) -> Result<(), SandboxError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => {
            let message = format!("{} is somebody else's, so leoctl does not run what is in it", path.display());
            Err(SandboxError::new(message).help("remove it, or set LEOCTL_SANDBOX_DIR to a folder that is yours alone"))
        }
        _ => Ok(()),
    }
}

/// Takes what others may do with something from them.
fn narrow(path: &Path, found: &fs::Metadata, mode: u32) -> Result<(), SandboxError> {
    if found.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| cannot("make private", path, &error))
}

/// Checks that a file in such a folder is one, and its owner's alone; whether it is there at all.
fn own_file(path: &Path) -> Result<bool, SandboxError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found.map_err(|error| cannot("look at", path, &error))?,
    };
    if !found.is_file() {
        let message = format!("{} is no file of the sandbox's, so leoctl does not use it", path.display());
        return Err(SandboxError::new(message).help("see where it comes from and remove it"));
    }
    narrow(path, &found, 0o600)?;
    Ok(true)
}

/// What a file of the sandbox says.
///
/// # Errors
/// When it is no file, or cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, SandboxError> {
    if !own_file(path)? {
        return Ok(None);
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    read.map(|_| Some(text)).map_err(|error| cannot("read", path, &error))
}

/// An empty file, for a program to write to.
///
/// # Errors
/// When something else stands there, or the disk refuses.
pub fn create(path: &Path) -> Result<File, SandboxError> {
    own_file(path)?;
    let opened = private(OpenOptions::new().write(true).create(true).truncate(true)).open(path);
    opened.map_err(|error| cannot("write", path, &error))
}

/// Takes a lock that goes when its process does; `held` hears that somebody else has it.
///
/// # Errors
/// When the system has no locks there.
pub fn lock(path: &Path, held: impl FnOnce()) -> Result<File, SandboxError> {
    own_file(path)?;
    let opened = private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path);
    let file = opened.map_err(|error| cannot("open", path, &error))?;
    let taken = match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            held();
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
    };
    taken.map(|()| file).map_err(|error| cannot("lock", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_others_could_use_is_its_owner_s_alone_afterwards() {
        let base = tempfile::tempdir().unwrap();
        let (folder, file) = (base.path().join("sandbox"), base.path().join("sandbox/record"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "text").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        own(&folder).unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some("text"));
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        drop(create(&folder.join("log")).unwrap());
        drop(lock(&folder.join("lock"), || ()).unwrap());
        assert_eq!((mode(&folder.join("log")), mode(&folder.join("lock"))), (0o600, 0o600));
    }

    #[test]
    fn a_folder_of_the_user_s_stays_as_it_is() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("shared");
        let made = folder.join("install.lock");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("theirs"), "text").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o2777)).unwrap();
        let refused = own_base(&folder, made.exists()).unwrap_err();
        assert!(refused.message.contains("has files in it"), "{}", refused.message);
        // What leoctl has made others can have put there, where they may write.
        fs::write(&made, "").unwrap();
        assert!(own_base(&folder, made.exists()).is_err());
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o7777, 0o2777);
        // What only leoctl has made, or nothing is in, is closed.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        own_base(&folder, made.exists()).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let empty = base.path().join("empty");
        fs::create_dir(&empty).unwrap();
        fs::set_permissions(&empty, fs::Permissions::from_mode(0o777)).unwrap();
        own_base(&empty, false).unwrap();
        assert_eq!(mode(&empty), 0o700);
    }

    #[test]
    fn a_link_is_followed_nowhere() {
        let base = tempfile::tempdir().unwrap();
        let (elsewhere, victim) = (base.path().join("elsewhere"), base.path().join("elsewhere/victim"));
        own(&elsewhere).unwrap();
        fs::write(&victim, "kept").unwrap();
        let (folder, file) = (base.path().join("folder"), base.path().join("file"));
        std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
        std::os::unix::fs::symlink(&victim, &file).unwrap();
        assert!(own(&folder).unwrap_err().message.contains("symbolic link"));
        assert!(read(&file).is_err() && create(&file).is_err() && lock(&file, || ()).is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
