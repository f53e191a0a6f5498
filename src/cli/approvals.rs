//! Which saved plans a person has approved. The records are with the user's own files and not in the project, which agents
//! write. Each is of one plan's id and of the bytes of its file, and expires.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CliError, project};
use crate::disk;

/// How long a plan is approved.
pub const HOURS: i64 = 8;

const VERSION: u32 = 1;
/// The largest record that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// That a person has approved a plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    format_version: u32,
    plan_id: String,
    /// A hash of the plan's file.
    digest: String,
    expires_at: Timestamp,
}

/// The approvals of this user.
#[derive(Debug)]
pub struct Approvals {
    folder: PathBuf,
}

impl Approvals {
    /// Those of the user of this process.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn of_user() -> Result<Self, CliError> {
        let dirs = directories::ProjectDirs::from("", "", "leoctl");
        let dirs = dirs.ok_or_else(|| CliError::usage("there is no home folder to keep approvals in", "set HOME"))?;
        Ok(Self { folder: dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("approvals") })
    }

    /// Makes sure that none of them can be written by who may write files of a project.
    ///
    /// # Errors
    /// When they are kept in it.
    pub fn outside(self, project: &Path) -> Result<Self, CliError> {
        let kept = project::real(&self.folder);
        match kept.starts_with(project::real(project)) {
            true => Err(CliError::usage(
                &format!("approvals would be kept in {}, which is in the project", kept.display()),
                "start leoctl with HOME and XDG_STATE_HOME as they are for you, and not in the project",
            )),
            false => Ok(self),
        }
    }

    /// Records that the plan of this id, in a file with this hash, is approved from now on; until when.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&self, plan_id: &str, digest: &str, now: Timestamp) -> Result<Timestamp, CliError> {
        let failed = |why: String| CliError::usage(&format!("cannot record the approval in {}: {why}", self.folder.display()), "see why");
        private_folder(&self.folder).map_err(|error| failed(error.to_string()))?;
        self.forget_expired(now);
        let expires_at = until(now);
        let approval = Approval { format_version: VERSION, plan_id: plan_id.to_owned(), digest: digest.to_owned(), expires_at };
        let text = serde_json::to_string_pretty(&approval).map_err(|error| failed(error.to_string()))?;
        disk::replace(&self.file(plan_id), &text).map_err(|error| failed(error.to_string()))?;
        Ok(expires_at)
    }

    /// That the plan of this id, in a file with this hash, is approved.
    ///
    /// # Errors
    /// Why it is not, as words that go on "the plan … ".
    pub fn check(&self, plan_id: &str, digest: &str, now: Timestamp) -> Result<(), String> {
        let path = self.file(plan_id);
        is_private(&self.folder).and_then(|()| is_private(&path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "is not approved".to_owned(),
            _ => format!("has an approval that cannot be used: {error}"),
        })?;
        let read = disk::read_text(&path, LARGEST).map_err(|error| disk::words(&error));
        let approval = read.and_then(|text| serde_json::from_str::<Approval>(&text).map_err(|error| error.to_string()));
        let approval = approval.map_err(|why| format!("has an approval that cannot be read: {why}"))?;
        match approval {
            Approval { format_version, .. } if format_version != VERSION => Err("was approved with another leoctl".to_owned()),
            Approval { plan_id: of, .. } if of != plan_id => Err("is not approved".to_owned()),
            Approval { digest: of, .. } if of != digest => Err("has been changed since it was approved".to_owned()),
            Approval { expires_at, .. } if expires_at <= now => Err("was approved too long ago".to_owned()),
            Approval { expires_at, .. } if expires_at > until(now) => Err("has an approval of more hours than leoctl gives".to_owned()),
            Approval { .. } => Ok(()),
        }
    }

    fn file(&self, plan_id: &str) -> PathBuf {
        self.folder.join(format!("{plan_id}.json"))
    }

    /// Removes records of no use. One that stays says by itself that it has expired.
    fn forget_expired(&self, now: Timestamp) {
        for path in fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let approval = disk::read_text(&path, LARGEST).ok().and_then(|text| serde_json::from_str::<Approval>(&text).ok());
            if approval.is_some_and(|approval| approval.expires_at <= now) {
                drop(fs::remove_file(path));
            }
        }
    }
}

/// When what is approved now expires.
fn until(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(HOURS)).unwrap_or(now)
}

/// Makes a folder and those above it, readable by their owner only where they are made.
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    is_private(path)
}

/// That something is ours, no link, and that nobody else may write to it.
fn is_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let found = fs::symlink_metadata(path)?;
    let wrong = match found {
        _ if found.is_symlink() => "a symbolic link",
        _ if found.uid() != rustix::process::geteuid().as_raw() => "somebody else's",
        _ if found.permissions().mode() & 0o022 != 0 => "open to others",
        _ => return Ok(()),
    };
    Err(io::Error::other(format!("{} is {wrong}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_approval_is_of_one_plan_in_one_file_for_some_hours() {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals { folder: folder.path().join("a/approvals") };
        let (then, now, late) = (at("2026-01-31T01:00:00Z"), at("2026-01-31T08:59:59Z"), at("2026-01-31T09:00:00Z"));
        assert_eq!(approvals.check("one", "f", now), Err("is not approved".to_owned()));
        assert_eq!(approvals.record("one", "f", then).unwrap(), late);
        assert_eq!(approvals.check("one", "f", now), Ok(()));
        assert_eq!(approvals.check("two", "f", now), Err("is not approved".to_owned()));
        assert_eq!(approvals.check("one", "g", now), Err("has been changed since it was approved".to_owned()));
        assert_eq!(approvals.check("one", "f", late), Err("was approved too long ago".to_owned()));
        let early = at("2026-01-31T00:59:59Z");
        assert_eq!(approvals.check("one", "f", early), Err("has an approval of more hours than leoctl gives".to_owned()));
        // What says that it is of another plan is of no use for this one.
        fs::copy(approvals.file("one"), approvals.file("two")).unwrap();
        assert_eq!(approvals.check("two", "f", now), Err("is not approved".to_owned()));
        approvals.record("three", "f", late).unwrap();
        assert!(!approvals.file("one").exists() && !approvals.file("two").exists(), "expired ones go");
    }

    #[test]
    fn what_is_kept_in_the_project_approves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let kept = |name: &str| Approvals { folder: folder.path().join(name) };
        assert!(kept("project/.state/approvals").outside(&folder.path().join("project")).is_err());
        assert!(kept("home/approvals").outside(&folder.path().join("project")).is_ok());
    }

    #[test]
    fn what_others_may_write_approves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals { folder: folder.path().join("approvals") };
        let now = at("2026-01-31T01:00:00Z");
        approvals.record("one", "f", now).unwrap();
        let file = approvals.file("one");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(approvals.check("one", "f", now).unwrap_err().contains("open to others"));
        fs::rename(&file, folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), &file).unwrap();
        assert!(approvals.check("one", "f", now).unwrap_err().contains("symbolic link"));
        fs::set_permissions(&approvals.folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(approvals.check("one", "f", now).unwrap_err().contains("open to others"));
        assert!(approvals.record("one", "f", now).is_err());
    }
}
