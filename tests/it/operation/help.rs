//! `sallyport help`, and the tour of the README.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::server::{PASSWORD, Server, program};

fn run(arguments: &str) -> (Option<i32>, String, String) {
    let directory = TempDir::new().expect("a directory");
    let output = program(&directory, arguments).output();
    let Output { status, stdout, stderr } = output.expect("the binary");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_help_lists_all_topics_and_prints_each() {
    let (status, overview, _) = run("help");
    assert_eq!(status, Some(0));
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/help")).unwrap();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(overview.contains(&format!("\n  {name} ")), "{name}: {overview}");
        let (status, text, _) = run(&format!("help {name}"));
        let title = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        assert_eq!((status, text.lines().next()), (Some(0), Some(&*title)), "{name}");
    }
    assert!(overview.lines().all(|line| line.chars().count() <= 80), "{overview}");
    assert!(run("--help").1.contains("\n  help "));
}

#[test]
fn the_help_of_a_command_is_what_its_flag_prints() {
    for command in ["serve", "check", "user create", "session end"] {
        let (status, text, _) = run(&format!("help {command}"));
        assert_eq!((status, text), (Some(0), run(&format!("{command} --help")).1), "{command}");
    }
    let (_, text, _) = run("help backup");
    assert!(text.starts_with("# Backup") && text.ends_with(&run("backup --help").1), "{text}");
}

#[test]
fn the_manual_and_the_schema_are_printed_while_settings_are_wrong() {
    let directory = TempDir::new().unwrap();
    for arguments in ["help", "help tokens", "help serve", "help backup", "serve --help", "schema"]
    {
        for variables in [
            vec![("SALLYPORT_LISTEN", OsStr::new("nonsense"))],
            vec![("SALLYPORT_AUDIENCE", OsStr::from_bytes(b"\xff"))],
            vec![("SALLYPORT_CONFIG", OsStr::new("/nowhere/sallyport.toml"))],
            vec![("SALLYPORT_SECRET", OsStr::new("a")), ("SALLYPORT_SECRET_FILE", OsStr::new("b"))],
        ] {
            let output = program(&directory, arguments).envs(variables.clone()).output().unwrap();
            assert!(output.status.success(), "{arguments} {variables:?}: {output:?}");
            assert!(output.stdout.len() > 500, "{arguments}: {output:?}");
        }
    }
    assert!(run("serve --help").1.contains("[env: SALLYPORT_LISTEN=]"));
}

#[test]
fn an_unknown_topic_is_a_usage_error_that_names_the_nearest() {
    let (status, text, error) = run("help prxy");
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(error.contains("Did you mean 'proxy'?") && error.contains("replicas"), "{error}");
    assert!(run("help TOKENS").2.contains("Did you mean 'tokens'?"));
}

#[test]
fn a_reader_of_the_help_may_leave() {
    let directory = TempDir::new().unwrap();
    for topic in ["help", "help settings", "help serve", "help backup"] {
        let mut child = program(&directory, topic).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{topic}");
    }
}

/// What the tour needs of curl, for a machine without it.
const CURL: &str = r#"
command -v curl >/dev/null || curl() {
    local host=${2%%/*} headers= body=
    shift 2
    while [[ $# -gt 0 ]]; do
        if [[ $1 == -H ]]; then headers+=$2$'\r\n'; else body=$2; fi
        shift 2
    done
    exec 3<>"/dev/tcp/${host%:*}/${host#*:}"
    printf 'POST /graphql HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n%scontent-length: %d\r\n\r\n%s' \
        "$host" "$headers" "${#body}" "$body" >&3
    sed $'1,/^\r$/d' <&3
}
"#;

#[test]
fn the_tour_of_the_readme_ends_with_a_session_that_has_ended() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, tour) = readme.split_once("## Tour").unwrap();
    let (_, script) = tour.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    assert!(readme.contains(&format!("SALLYPORT_ADMIN_PASSWORD={PASSWORD} ")));
    let server = Server::start("");
    let script = script.replace("localhost:8000", &server.address.to_string());
    let script = format!("{CURL}{script}");
    let output = Command::new("bash").args(["-ec", &script]).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let [sessions, blacklist, logout, refused] = lines[..] else { panic!("{said}") };
    assert!(sessions.contains(r#""username":"admin""#), "{sessions}");
    assert!(sessions.contains(r#""state":"ACTIVE","isCurrent":true"#), "{sessions}");
    assert!(blacklist.contains(r#""reason":"ROTATED""#), "{blacklist}");
    assert!(logout.contains(r#""endedCount":1"#), "{logout}");
    assert!(refused.contains(r#""reason":"SESSION_ENDED""#), "{refused}");
}

#[test]
fn the_configuration_file_that_is_shown_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/help/settings.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, file) = text.split_once("```toml\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let directory = TempDir::new().unwrap();
    let name = directory.path().join("sallyport.toml");
    fs::write(&name, file).unwrap();
    let arguments = format!("config --config {}", name.display());
    let output = program(&directory, &arguments).output().unwrap();
    let settings = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && settings.contains("10m"), "{output:?}");
}
