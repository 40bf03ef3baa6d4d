//! Small file system in memory, which a test can fill.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::server::user_of_servers;

/// Option of `mount`.
const SIZE: &str = "size=24m";

/// Unmounted on drop: has to outlive the processes that write there.
pub struct Disk(TempDir);

impl Disk {
    /// Needs root with `CAP_SYS_ADMIN`: the tests that call this are ignored, and `tests/run` runs them where
    /// it can mount.
    pub fn mount() -> Self {
        let disk = Self(TempDir::new().unwrap());
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(disk.0.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&mounted.stderr);
        assert!(mounted.status.success(), "mount: {}", error.trim());
        disk
    }

    /// A directory in which a database server can write, too.
    pub fn directory(&self) -> PathBuf {
        let directory = self.0.path().join("database");
        fs::create_dir(&directory).unwrap();
        if let Some((user, group)) = user_of_servers() {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        directory
    }

    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [65536, 1] {
            let bytes = vec![1; size];
            while file.write_all(&bytes).is_ok() {}
        }
    }

    pub fn clear(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is still exiting may have files open.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}
