//! `sallyport config`, whose output is a configuration file.

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
fn what_config_prints_is_a_configuration_file_of_the_same_settings() {
    let site = Site::new(
        "[tokens]\naudience = \"a \\\"b\\\" \\\\ \\u00e9\"\naccess-token-lifetime = \"5m\"\n\
         [transport]\ncors-origin = [\"https://a.example.com\", \"https://b.example.com\"]\n\
         [accounts]\nthrottle = false\n",
    );
    let printed = site.run("config --config sallyport.toml --max-connections 77");
    assert!(printed.status.success(), "{printed:?}");
    site.write("printed.toml", &printed.stdout);
    let first = site.settings("--config sallyport.toml --max-connections 77");
    let second = site.settings("--config printed.toml");
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
    site.write("all.toml", all.as_bytes());
    let third = site.settings("--config all.toml");
    assert_eq!(values(&first), values(&third));
}
