//! The ordinary user that PostgreSQL runs as when we are root, since it refuses to run as root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ChildError;

/// The users that are tried, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// A user of this machine who is not root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    /// The user's name, or `#` and the number when only that is known.
    pub name: String,
    uid: u32,
    gid: u32,
}

impl ServiceUser {
    /// The user to run PostgreSQL as on `folder`: `None` means as ourselves, because we are not root.
    ///
    /// The owner of an existing folder goes first, so that data which an ordinary user made stay
    /// usable when root comes by.
    ///
    /// # Errors
    /// [`ChildError::NoOrdinaryUser`] when we are root and there is nobody else.
    pub fn for_folder(folder: &Path) -> Result<Option<Self>, ChildError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        if let Ok(metadata) = fs::metadata(folder)
            && metadata.uid() != 0
        {
            let name = format!("#{}", metadata.uid());
            return Ok(Some(Self { name, uid: metadata.uid(), gid: metadata.gid() }));
        }
        CANDIDATES.iter().find_map(|name| look_up(name)).map(Some).ok_or(ChildError::NoOrdinaryUser)
    }

    /// Makes a command run as this user, without any of our groups.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a folder and all that is in it to this user.
    ///
    /// # Errors
    /// [`ChildError::Folder`] when the operating system refuses.
    pub(crate) fn own(&self, folder: &Path) -> Result<(), ChildError> {
        let failed = |source| ChildError::Folder {
            doing: "give to the PostgreSQL user",
            path: folder.to_owned(),
            source,
        };
        std::os::unix::fs::lchown(folder, Some(self.uid), Some(self.gid)).map_err(failed)?;
        if folder.is_symlink() || !folder.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(folder).map_err(failed)? {
            self.own(&entry.map_err(failed)?.path())?;
        }
        Ok(())
    }

    /// Checks that this user can enter `folder`, an absolute path, and every folder above it.
    ///
    /// # Errors
    /// [`ChildError::Unreachable`] with the outermost folder that is closed to the user.
    pub(crate) fn check_reach(&self, folder: &Path) -> Result<(), ChildError> {
        if self.can_enter(folder) {
            return Ok(());
        }
        let mut outermost_first: Vec<&Path> = folder.ancestors().collect();
        outermost_first.reverse();
        let blocked = outermost_first.into_iter().find(|ancestor| !self.can_enter(ancestor));
        let blocked_at = blocked.unwrap_or(folder).to_owned();
        Err(ChildError::Unreachable { user: self.name.clone(), blocked_at })
    }

    fn can_enter(&self, folder: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", r#"cd "$1""#, "reach"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// Asks `id`, because not every system keeps its users in /etc/passwd.
fn look_up(name: &str) -> Option<ServiceUser> {
    let ask = |flag: &str| {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    let (uid, gid) = (ask("-u")?, ask("-g")?);
    (uid != 0).then(|| ServiceUser { name: name.to_owned(), uid, gid })
}
