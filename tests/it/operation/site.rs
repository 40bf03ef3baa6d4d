//! A directory with a configuration file, in which the program runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A secret that must not appear in any output.
pub const SECRET: &str = "squirrel-4711-squirrel-4711-squirrel";

/// Value and source of each setting in force, by its name.
pub type Settings = BTreeMap<String, (Value, String)>;

/// A directory with a configuration file, in which the program runs.
pub struct Site(TempDir);

impl Site {
    pub fn new(file: &str) -> Self {
        let site = Self(TempDir::new().expect("a directory"));
        site.write("sallyport.toml", file.as_bytes());
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("a file");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.path(name), mode).expect("a mode");
    }

    /// The program without any settings but the arguments.
    pub fn program(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &str) -> Output {
        self.program(arguments).output().expect("the binary")
    }

    /// Error message of a refused file.
    pub fn refusal(&self) -> String {
        let output = self.run("check --config sallyport.toml");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty() && said.lines().count() == 1, "{said}");
        assert!(said.starts_with("sallyport: ") && said.trim_end().ends_with(['.', '?']), "{said}");
        said
    }

    /// Value and source of each setting in force.
    pub fn settings(&self, arguments: &str) -> Settings {
        settings(self.run(&format!("config --json {arguments}")))
    }
}

pub fn settings(output: Output) -> Settings {
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entry =
        |object: Value| (text(&object["name"]), (object["value"].clone(), text(&object["source"])));
    objects.map(entry).collect()
}
