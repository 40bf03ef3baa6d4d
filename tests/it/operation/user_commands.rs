//! Commands that correct, unlock and delete users.

use std::process::Output;

use super::site::Site;
use crate::api::service::PASSWORD;

fn site() -> Site {
    let site = Site::new("");
    assert!(create(&site, "ada").status.success());
    site
}

fn create(site: &Site, name: &str) -> Output {
    site.write("password", PASSWORD.as_bytes());
    let password = std::fs::File::open(site.path("password")).expect("a file");
    let mut command = site.program(&format!("user create {name} --password-stdin"));
    command.stdin(password).output().expect("the binary")
}

fn said(site: &Site, arguments: &str) -> String {
    let output = site.run(arguments);
    assert!(output.status.success(), "{arguments}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(site: &Site, arguments: &str) -> String {
    let output = site.run(arguments);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
    assert!(output.stdout.is_empty() && said.lines().count() == 1, "{said}");
    said
}

#[test]
fn a_user_is_renamed_and_gets_an_address_and_a_role() {
    let site = site();
    assert_eq!(said(&site, "user rename ADA lovelace"), "Renamed user ADA to lovelace.\n");
    let message = said(&site, "user set-email lovelace ada@example.com --verified");
    let expected = "Set the e-mail address of user lovelace to ada@example.com (verified).\n";
    assert_eq!(message, expected);
    let answer = said(&site, "user set-role ada@example.com admin");
    assert_eq!(answer, "Set the role of user ada@example.com to ADMIN and ended 0 sessions.\n");
    let users = said(&site, "user list --json");
    assert!(users.contains(r#""username":"lovelace""#), "{users}");
    assert!(users.contains(r#""role":"ADMIN""#) && users.contains("ada@example.com"), "{users}");
    let last = refused(&site, "user set-role lovelace user");
    assert!(last.contains("the last active administrator"), "{last}");
    let absent = refused(&site, "user rename ada grace");
    assert!(absent.contains("does not exist"), "{absent}");
    let output = site.run("user set-role lovelace king");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_user_is_deleted_only_after_a_confirmation() {
    let site = site();
    let asked = refused(&site, "user delete ada");
    assert!(asked.contains("use --yes"), "{asked}");
    assert!(said(&site, "user list").contains(" ada "));
    assert_eq!(said(&site, "user delete ada --yes"), "Deleted user ada and ended 0 sessions.\n");
    assert!(!said(&site, "user list").contains(" ada "));
    let again = refused(&site, "user delete ada --yes");
    assert!(again.contains("does not exist"), "{again}");
    let taken = create(&site, "ada");
    assert_eq!(taken.status.code(), Some(1), "{taken:?}");
}

#[test]
fn a_user_is_unlocked_with_the_secret_of_the_server() {
    let site = site();
    // No server has created a secret yet, and no counter depends on one.
    assert_eq!(said(&site, "user unlock ada"), "Unlocked user ada.\n");
    let absent = refused(&site, "user unlock grace");
    assert!(absent.contains("does not exist"), "{absent}");
}
