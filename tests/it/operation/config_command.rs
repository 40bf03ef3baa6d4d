//! `sallyport config`, whose output is a configuration file.

use std::fs;

use clap::CommandFactory;
use sallyport::cli::Cli;

use super::site::{SECRET, Settings, Site};

#[test]
fn every_flag_of_serve_has_a_key_and_a_variable_of_its_name() {
    let listed = Site::new("").settings("");
    let cli = Cli::command();
    for command in ["serve", "check", "config"] {
        let command = cli.find_subcommand(command).unwrap();
        for flag in command.get_arguments().filter(|flag| flag.get_env().is_some()) {
            let name = flag.get_long().unwrap();
            let variable = format!("SALLYPORT_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(flag.get_env().unwrap(), variable.as_str());
            assert!(listed.contains_key(name), "{name} has no key");
        }
        // An option of one command stands under no heading, as a heading is a table of the file.
        for flag in command.get_arguments().filter(|flag| flag.get_env().is_none()) {
            assert_eq!(flag.get_help_heading(), None, "{flag}");
        }
    }
    assert!(listed.len() > 50, "{listed:?}");
}

#[test]
fn config_prints_values_and_sources_and_no_secret() {
    let site = Site::new(&format!(
        "[database]\nsecret = \"{SECRET}\"\n\
         database-url = \"postgres://ada:{SECRET}@127.0.0.1:1/d?sslmode=require&password={SECRET}\"\n\
         [accounts]\nadmin-password = \"{SECRET}\"\n"
    ));
    for arguments in ["", "--json"] {
        let output = site
            .program(&format!("config --config sallyport.toml --leeway 3s {arguments}"))
            .env("SALLYPORT_AUDIENCE", "a")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !said.contains("squirrel"), "{said}");
        let url = "postgres://ada:***@127.0.0.1:1/d?sslmode=require&password=***";
        assert!(said.contains(url), "{said}");
        if arguments.is_empty() {
            let line = |start: &str| {
                let line = said.lines().find(|line| line.starts_with(start)).expect(start);
                line.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(line("# secret ="), "# secret = \"(set)\" # file, line 2, redacted");
            assert_eq!(line("leeway"), "leeway = \"3s\" # command line");
            assert_eq!(line("audience"), "audience = \"a\" # environment SALLYPORT_AUDIENCE");
            assert_eq!(line("# client-id"), "# client-id = \"sallyport\" # default");
            assert!(line("# refresh-retry-window = \"10s\"").contains("default: 10s, or half of"));
            assert!(said.lines().filter(|line| line.len() > 100).count() < 6, "{said}");
        }
    }
}

#[test]
fn config_prints_no_secret_whatever_it_looks_like() {
    let secret = "sqlite://squirrel-4711-squirrel-4711-squirrel";
    let site =
        Site::new(&format!("[accounts]\nadmin-password = \"postgres://squirrel@h/{SECRET}\"\n"));
    for arguments in ["config", "config --json"] {
        let mut program = site.program(&format!("{arguments} --config sallyport.toml"));
        let output = program.env("SALLYPORT_SECRET", secret).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !said.contains("squirrel"), "{said}");
        assert_eq!(said.matches("(set)").count(), 2, "{said}");
    }
    let output = site.program("config").env("SALLYPORT_SECRET", "(set)").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\n# secret = \"(set)\""), "{said}");
}

#[test]
fn config_prints_the_smtp_server_without_its_login() {
    let site = Site::new(&format!(
        "[e-mail]\nsmtp-url = \"smtps://squirrel:{SECRET}@mail.example.com\"\n\
         smtp-ca-file = \"ca.pem\"\nemail-templates = \"texts\"\n"
    ));
    for arguments in ["config", "config --json"] {
        let said = site.run(&format!("{arguments} --config sallyport.toml"));
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("\"smtps://mail.example.com:465\""), "{said}");
        assert!(!said.contains("squirrel"), "{said}");
    }
    let settings = site.settings("--config sallyport.toml");
    for (name, path) in [("smtp-ca-file", "ca.pem"), ("email-templates", "texts")] {
        assert_eq!(settings[name].0, site.path(path).to_str().unwrap(), "{name}");
    }
    let value = |name: &str| settings[name].0.as_str().unwrap().to_owned();
    assert_eq!(value("email-from"), "Sallyport <noreply@localhost>");
    assert_eq!(value("app-url"), "http://127.0.0.1:8000");
    assert_eq!(value("reset-url"), "http://127.0.0.1:8000/account/reset");
}

#[test]
fn config_prints_the_domain_and_the_origins_of_passkeys() {
    let site = Site::new("[second-factors]\npasskey-rp-id = \"example.com\"\n");
    for (flags, id, origins) in [
        ("", "null", "[]"),
        (
            "--issuer https://auth.example.com",
            "\"auth.example.com\"",
            "[\"https://auth.example.com\"]",
        ),
        (
            "--issuer https://auth.example.com/a --config sallyport.toml",
            "\"example.com\"",
            "[\"https://auth.example.com\"]",
        ),
        (
            "--config sallyport.toml --passkey-origins https://a.example.com,https://b.example.de",
            "\"example.com\"",
            "[\"https://a.example.com\",\"https://b.example.de\"]",
        ),
    ] {
        let settings = site.settings(flags);
        assert_eq!(settings["passkey-rp-id"].0.to_string(), id, "{flags}");
        assert_eq!(settings["passkey-origins"].0.to_string(), origins, "{flags}");
    }
}

#[test]
fn config_prints_settings_that_contradict_each_other_and_then_the_error() {
    let site = Site::new("[tokens]\naccess-token-lifetime = \"2m\"\n");
    let output = site.run("config --config sallyport.toml --revocation-staleness 3m");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let line = |start: &str| said.lines().find(|line| line.starts_with(start)).expect(start);
    assert!(line("access-token-lifetime = \"2m\"").ends_with("# file, line 2"), "{said}");
    assert!(line("revocation-staleness = \"3m\"").ends_with("# command line"), "{said}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("sallyport: ") && error.contains("--revocation-staleness"),
        "{error}"
    );
}

#[test]
fn what_config_prints_is_a_configuration_file_of_the_same_settings() {
    let site = Site::new(
        "[tokens]\naudience = \"a \\\"b\\\" \\\\ \\u00e9\"\naccess-token-lifetime = \"5m\"\n\
         [transport]\ncors-origin = [\"https://a.example.com\", \"https://b.example.com\"]\n\
         [accounts]\nthrottle = false\n[documents]\ntrusted-documents = \"a.json\"\n\
         [second-factors]\npasskey-rp-id = \"localhost\"\n\
         passkey-origins = [\"http://localhost:3000\", \"https://localhost\"]\n",
    );
    let flags = "--config sallyport.toml --max-connections 77 --database-url sqlite://a.db";
    let printed = site.run(&format!("config {flags}"));
    assert!(printed.status.success(), "{printed:?}");
    // Paths are absolute, so the file can be in another directory.
    fs::create_dir(site.path("etc")).unwrap();
    site.write("etc/printed.toml", &printed.stdout);
    let first = site.settings(flags);
    let second = site.settings("--config etc/printed.toml");
    let values = |settings: &Settings| {
        settings.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(values(&first), values(&second));
    assert_eq!(second["max-connections"].1, "file");
    assert_eq!(second["issuer"].1, "default");
    // Each line can be set: as a default that is no comment any more, too.
    let all = String::from_utf8(printed.stdout).unwrap();
    let all: String = all
        .lines()
        .skip(3)
        .map(|line| line.trim_start_matches("# "))
        .fold(String::new(), |text, line| text + line + "\n");
    site.write("etc/all.toml", all.as_bytes());
    let third = site.settings("--config etc/all.toml");
    assert_eq!(values(&first), values(&third));
}
