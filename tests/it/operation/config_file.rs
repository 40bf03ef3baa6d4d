//! The configuration file: forms, precedence, paths, secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::server::Server;
use super::site::{SECRET, Site, settings};

#[test]
fn a_flag_overrides_a_variable_which_overrides_the_file_which_overrides_the_default() {
    let site = Site::new("[tokens]\naudience = \"file\"\n");
    let audience = |arguments: &str, variable: Option<&str>| {
        let mut program = site.program(&format!("config --json {arguments}"));
        program.envs(variable.map(|value| ("SALLYPORT_AUDIENCE", value)));
        let (value, source) = settings(program.output().unwrap()).remove("audience").unwrap();
        format!("{} {source}", value.as_str().unwrap())
    };
    let file = "--config sallyport.toml";
    assert_eq!(audience("", None), "sallyport default");
    assert_eq!(audience(file, None), "file file");
    assert_eq!(audience(file, Some("")), "file file");
    assert_eq!(audience(file, Some("variable")), "variable environment");
    let flag = format!("{file} --audience flag");
    assert_eq!(audience(&flag, None), "flag command line");
    assert_eq!(audience(&flag, Some("variable")), "flag command line");
}

#[test]
fn the_file_is_named_by_a_flag_before_or_after_the_command_or_by_a_variable() {
    let site = Site::new("[database]\ndatabase-url = \"sqlite://here.db\"\n");
    let migrated = |program: &mut Command| {
        let output = program.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::remove_file(site.path("here.db")).unwrap();
    };
    migrated(&mut site.program("migrate --config sallyport.toml"));
    migrated(&mut site.program("--config sallyport.toml migrate"));
    migrated(&mut site.program("--config=sallyport.toml migrate"));
    migrated(site.program("migrate").env("SALLYPORT_CONFIG", "sallyport.toml"));
    site.write("other.toml", b"[databases]\n");
    let other = || ("SALLYPORT_CONFIG", "other.toml");
    migrated(site.program("migrate --config sallyport.toml").envs([other()]));
    let output = site.program("migrate").envs([other()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    // An empty variable counts as not set.
    let output = site.program("check").env("SALLYPORT_CONFIG", "").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_flag_of_serve_before_another_command_is_refused() {
    let site = Site::new("");
    let output = site.run("--audience a migrate");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("'--audience <NAME>' cannot precede the command 'migrate'"), "{said}");
}

#[test]
fn one_file_serves_every_command() {
    let site = Site::new(&format!(
        "[database]\ndatabase-url = \"sqlite://auth.db\"\nsecret-file = \"master\"\n\
         [accounts]\nadmin-password = \"{SECRET}\"\nhashing-memory = 8\n\
         [service]\nlisten = \"127.0.0.1:0\"\nmetrics-listen = \"127.0.0.1:0\"\n\
         log-format = \"json\"\n[sessions]\naudit-retention = \"30d\"\n"
    ));
    site.write("master", SECRET.as_bytes());
    let server = Server::start_with(site.program("serve --config sallyport.toml"));
    server.stop("TERM");
    for command in [
        "check",
        "migrate",
        "user list",
        "user activate admin",
        "session list",
        "session end --all",
        "keys list",
        "keys rotate --algorithm EdDSA",
        "purge --dry-run",
        "backup copy.db",
        "recover --dry-run",
        "config",
    ] {
        let output = site.run(&format!("{command} --config sallyport.toml"));
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(!site.path("sallyport.db").exists(), "{command}");
    }
    let keys = site.run("keys list --config sallyport.toml");
    assert!(String::from_utf8_lossy(&keys.stdout).contains("EdDSA"), "{keys:?}");
}

#[test]
fn tables_can_be_inline_or_dotted_and_values_strings_integers_booleans_or_arrays() {
    let site = Site::new(
        "service = { console = false, listen = \"[::1]:8000\" }\n\
         tokens.audience = 'web'\ntokens.leeway = 0\n\
         [transport]\nmax-connections = 1_000\ntrusted-proxy = \"10.0.0.0/8,fd00::/8\"\n\
         cors-origin = [\n  \"https://a.example.com\", # first\n  \"https://b.example.com\",\n]\n\
         [limits]\nmax-aliases = 0x10\n",
    );
    let settings = site.settings("--config sallyport.toml");
    for (name, value) in [
        ("console", "\"false\""),
        ("listen", "\"[::1]:8000\""),
        ("audience", "\"web\""),
        ("leeway", "\"0\""),
        ("max-connections", "\"1000\""),
        ("trusted-proxy", "[\"10.0.0.0/8\",\"fd00::/8\"]"),
        ("cors-origin", "[\"https://a.example.com\",\"https://b.example.com\"]"),
        ("max-aliases", "\"16\""),
    ] {
        let (found, source) = &settings[name];
        assert_eq!((found.to_string().as_str(), source.as_str()), (value, "file"), "{name}");
    }
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let site = Site::new(
        "[tokens]\naudience = \"\"\nalgorithm = \"\"\n[transport]\ncors-origin = []\n\
         [database]\nsecret = \"\"\n",
    );
    for (name, (_, source)) in site.settings("--config sallyport.toml") {
        assert_eq!(source, "default", "{name}");
    }
    assert!(Site::new("").run("check --config sallyport.toml").status.success());
}

#[test]
fn a_relative_path_is_relative_to_the_file() {
    let site = Site::new("");
    fs::create_dir(site.path("etc")).unwrap();
    let file = "[database]\ndatabase-url = \"sqlite://data.db?mode=rwc\"\nsecret-file = \"key\"\n\
                [documents]\ntrusted-documents = \"/srv/documents.json\"\n";
    site.write("etc/sallyport.toml", file.as_bytes());
    let settings = site.settings("--config etc/sallyport.toml");
    let etc = site.path("etc").canonicalize().unwrap().display().to_string();
    assert_eq!(settings["database-url"].0, format!("sqlite://{etc}/data.db?mode=rwc"));
    assert_eq!(settings["secret-file"].0, format!("{etc}/key"));
    assert_eq!(settings["trusted-documents"].0, "/srv/documents.json");
    assert!(site.run("migrate --config etc/sallyport.toml").status.success());
    assert!(site.path("etc/data.db").exists());
}

#[test]
fn a_value_that_begins_like_a_database_url_is_not_changed() {
    let site = Site::new("[tokens]\naudience = \"sqlite:web\"\nclient-id = \"sqlite://a\"\n");
    let settings = site.settings("--config sallyport.toml");
    assert_eq!(settings["audience"].0, "sqlite:web");
    assert_eq!(settings["client-id"].0, "sqlite://a");
}

#[test]
fn a_flag_overrides_both_variables_of_the_secret_in_every_command() {
    let file = "[database]\ndatabase-url = \"sqlite://a.db\"\nsecret-file = \"master\"\n\
                [service]\nlisten = \"127.0.0.1:0\"\nmetrics-listen = \"127.0.0.1:0\"\n";
    let site = Site::new(file);
    site.write("master", SECRET.as_bytes());
    Server::start_with(site.program("serve --config sallyport.toml")).stop("TERM");
    for command in
        ["check", "config", "keys list", "backup b.db --with-secret", "recover --dry-run"]
    {
        let mut program = site.program(&format!("{command} --secret-file master"));
        program.env("SALLYPORT_DATABASE_URL", "sqlite://a.db");
        program.env("SALLYPORT_SECRET", "a").env("SALLYPORT_SECRET_FILE", "b");
        let output = program.output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        // Without the flag they are a contradiction, reported in one line without the usage.
        program = site.program(&command.replace("b.db", "c.db"));
        program.env("SALLYPORT_DATABASE_URL", "sqlite://a.db");
        program.env("SALLYPORT_SECRET", "a").env("SALLYPORT_SECRET_FILE", "b");
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {output:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "sallyport: Environment variables SALLYPORT_SECRET and SALLYPORT_SECRET_FILE exclude each \
             other; remove one of them.\n"
        );
    }
}

#[test]
fn a_flag_overrides_an_invalid_variable() {
    let site = Site::new("");
    for (arguments, variable) in [
        ("check --issuer https://cli.example", "SALLYPORT_ISSUER"),
        ("config --issuer https://cli.example", "SALLYPORT_ISSUER"),
        ("migrate --database-url sqlite://a.db", "SALLYPORT_DATABASE_URL"),
        ("user list --database-url sqlite://a.db", "SALLYPORT_DATABASE_URL"),
        ("purge --audit-retention 1d --database-url sqlite://a.db", "SALLYPORT_AUDIT_RETENTION"),
    ] {
        let output = site.program(arguments).env(variable, "bad").output().unwrap();
        assert!(output.status.success(), "{arguments}: {output:?}");
    }
}

#[test]
fn of_secret_and_secret_file_the_higher_source_counts_and_one_source_has_one() {
    let files = [("secret", SECRET), ("secret-file", "a")]
        .map(|(name, value)| Site::new(&format!("[database]\n{name} = \"{value}\"\n")));
    for (site, lower, higher) in
        [(&files[0], "secret", "secret-file"), (&files[1], "secret-file", "secret")]
    {
        let program = |arguments: &str| {
            site.program(&format!("config --json --config sallyport.toml {arguments}"))
        };
        let sources = |mut program: Command| {
            let mut settings = settings(program.output().unwrap());
            [lower, higher].map(|name| settings.remove(name).unwrap().1)
        };
        assert_eq!(sources(program("")), ["file", "default"]);
        assert_eq!(sources(program(&format!("--{higher} b"))), ["default", "command line"]);
        let variable = format!("SALLYPORT_{}", higher.to_uppercase().replace('-', "_"));
        let mut with_variable = program("");
        with_variable.env(&variable, "b");
        assert_eq!(sources(with_variable), ["default", "environment"]);
        let mut with_both = program(&format!("--{lower} c"));
        with_both.env(&variable, "b");
        assert_eq!(sources(with_both), ["command line", "default"]);
        let both = program(&format!("--{lower} c --{higher} b")).output().unwrap();
        assert_eq!(both.status.code(), Some(2), "{both:?}");
        let mut variables = program("");
        variables.env("SALLYPORT_SECRET", "b").env("SALLYPORT_SECRET_FILE", "c");
        assert_eq!(variables.output().unwrap().status.code(), Some(2));
    }
    let both = format!("[database]\nsecret = \"{SECRET}\"\nsecret-file = \"a\"\n");
    let said = Site::new(&both).refusal();
    assert!(
        said.contains("line 3: database.secret-file and database.secret exclude each other"),
        "{said}"
    );
}

#[test]
fn check_warns_of_a_file_with_secrets_that_other_users_can_read() {
    let plain = "[tokens]\naudience = \"a\"\n[database]\ndatabase-url = \"sqlite://a.db\"\n";
    for (file, mode, expected) in [
        (plain.to_owned(), 0o644, None),
        (plain.to_owned(), 0o646, Some("Other users can write sallyport.toml")),
        (format!("[database]\nsecret = \"{SECRET}\"\n"), 0o600, None),
        (
            format!("[database]\nsecret = \"{SECRET}\"\n"),
            0o644,
            Some("Other users can read sallyport.toml"),
        ),
        (
            format!("[accounts]\nadmin-password = \"{SECRET}\"\n"),
            0o640,
            Some("Its group can read sallyport.toml"),
        ),
        // A secret that looks like a database URL without a password.
        (
            "[database]\nsecret = \"sqlite://0123456789abcdef0123456789abcdef\"\n".to_owned(),
            0o644,
            Some("Other users can read sallyport.toml. Run `chmod 600 sallyport.toml` to prevent"),
        ),
    ] {
        let site = Site::new(&file);
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(site.path("sallyport.toml"), mode).unwrap();
        let output = site.run("check --config sallyport.toml");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let warning = said.lines().find(|line| line.contains("sallyport.toml"));
        assert_eq!(warning.is_some(), expected.is_some(), "{said}");
        let expected = format!("warning  {}", expected.unwrap_or_default());
        assert!(warning.is_none_or(|line| line.starts_with(&expected)), "{said}");
    }
}
