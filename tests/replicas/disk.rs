//! A disk so small that it can be filled.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::server::{is_root, user_of_servers};

/// How large it is, in what `mount` understands.
const SIZE: &str = "size=24m";

/// A file system in memory. It is gone with this value, which has to outlive who writes there.
pub struct Disk(TempDir);

impl Disk {
    /// Mounts it; `None`, loudly, for an ordinary user, who may not. For root that fails.
    pub fn mount() -> Option<Self> {
        let disk = Self(TempDir::new().unwrap());
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(disk.0.path())
            .output()
            .unwrap();
        if mounted.status.success() {
            return Some(disk);
        }
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            !is_root(),
            "no disk can be mounted: let root mount here (CAP_SYS_ADMIN): {}",
            why.trim()
        );
        println!("\n## SKIPPED: no disk can be mounted: run this as root: {}", why.trim());
        None
    }

    /// A directory on it, for a database server, too.
    pub fn directory(&self) -> PathBuf {
        let directory = self.0.path().join("database");
        fs::create_dir(&directory).unwrap();
        if let Some((user, group)) = user_of_servers() {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        directory
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.filling()).unwrap();
        for size in [65536, 1] {
            let bytes = vec![1; size];
            while file.write_all(&bytes).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.filling()).unwrap();
    }

    fn filling(&self) -> PathBuf {
        self.0.path().join("filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whatever still has a file open there keeps it alive for as long.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}
