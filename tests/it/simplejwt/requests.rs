//! Bodies, fields, methods and media types that no view answers.

use sallyport::domain::user::Role;
use serde_json::json;

use super::client::{
    BLACKLIST, DONE, ENDPOINTS, Expected, FORM, INVALID, JSON, NO_ACCOUNT, OBTAIN, REFRESH, VERIFY,
    VIEWS, ask, pair, post, post_as, refresh, verify,
};
use crate::api::service::{PASSWORD, Service};
use crate::databases::{Database, on_both};

on_both!(
    fields_are_refused_as_by_django_rest_framework,
    bodies_that_are_no_object_are_refused_as_by_django_rest_framework,
    forms_are_read_as_well_as_json,
    white_space_around_a_field_does_not_count,
    other_methods_and_media_types_are_refused_as_by_django_rest_framework,
    a_slash_at_the_end_is_not_needed,
    bodies_are_bounded,
);

const BOTH_REQUIRED: &str =
    r#"{"username":["This field is required."],"password":["This field is required."]}"#;
const BOTH_BLANK: &str =
    r#"{"username":["This field may not be blank."],"password":["This field may not be blank."]}"#;

/// Body of a login, and the answer.
const LOGINS: [(&str, Expected); 15] = [
    ("", (400, BOTH_REQUIRED)),
    ("{}", (400, BOTH_REQUIRED)),
    (r#"{"email":"ada","pass":"x"}"#, (400, BOTH_REQUIRED)),
    (r#"{"password":"x"}"#, (400, r#"{"username":["This field is required."]}"#)),
    (r#"{"username":"ada"}"#, (400, r#"{"password":["This field is required."]}"#)),
    (r#"{"username":"","password":""}"#, (400, BOTH_BLANK)),
    (r#"{"username":"  ","password":"\t"}"#, (400, BOTH_BLANK)),
    (
        r#"{"username":"","password":"x"}"#,
        (400, r#"{"username":["This field may not be blank."]}"#),
    ),
    (
        r#"{"username":null,"password":null}"#,
        (
            400,
            r#"{"username":["This field may not be null."],"password":["This field may not be null."]}"#,
        ),
    ),
    (
        r#"{"username":true,"password":false}"#,
        (400, r#"{"username":["Not a valid string."],"password":["Not a valid string."]}"#),
    ),
    (
        r#"{"username":["ada"],"password":{}}"#,
        (400, r#"{"username":["Not a valid string."],"password":["Not a valid string."]}"#),
    ),
    (
        r#"{"username":"a\u0000b","password":"x\u0000"}"#,
        (
            400,
            r#"{"username":["Null characters are not allowed."],"password":["Null characters are not allowed."]}"#,
        ),
    ),
    (r#"{"username":5,"password":5.5}"#, NO_ACCOUNT),
    (r#"{"username":"x","username":"ada","password":"x","next":{"a":[1]}}"#, NO_ACCOUNT),
    ("{\"username\":\"\u{30a2}\u{30c0}\",\"password\":\"\u{1f600}\"}", NO_ACCOUNT),
];

async fn fields_are_refused_as_by_django_rest_framework(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    for (body, expected) in LOGINS {
        let answer = post_as(&service, OBTAIN, JSON, body).await;
        assert_eq!((answer.status, answer.body.as_str()), expected, "{body}");
        answer.has_headers();
    }
    for (view, field) in [(REFRESH, "refresh"), (VERIFY, "token"), (BLACKLIST, "refresh")] {
        for (value, error) in [
            (None, "This field is required."),
            (Some(json!("")), "This field may not be blank."),
            (Some(json!(" \n")), "This field may not be blank."),
            (Some(json!(null)), "This field may not be null."),
            (Some(json!(true)), "Not a valid string."),
            (Some(json!([])), "Not a valid string."),
            (Some(json!({})), "Not a valid string."),
            (Some(json!("a\u{0}")), "Null characters are not allowed."),
        ] {
            let body = value.map_or(json!({}), |value| json!({ field: value }));
            let answer = post(&service, view, body.clone()).await;
            let expected = format!(r#"{{"{field}":["{error}"]}}"#);
            assert_eq!((answer.status, answer.body), (400, expected), "{view} {body}");
        }
        post(&service, view, json!({ field: 5 })).await.is(INVALID);
    }
}

/// A body that is not a JSON object, and the answer of every view.
const BODIES: [(&str, &str); 12] = [
    ("[]", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#),
    ("\"a\"", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}"#),
    ("5", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}"#),
    ("5.5", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got float."]}"#),
    ("true", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}"#),
    ("null", r#"{"non_field_errors":["No data provided"]}"#),
    ("broken", r#"{"detail":"JSON parse error - Expecting value: line 1 column 1 (char 0)"}"#),
    (" ", r#"{"detail":"JSON parse error - Expecting value: line 1 column 2 (char 1)"}"#),
    (
        "{",
        r#"{"detail":"JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}"#,
    ),
    (
        "{\"a\" 1}",
        r#"{"detail":"JSON parse error - Expecting ':' delimiter: line 1 column 6 (char 5)"}"#,
    ),
    (
        "{\"a\":1 \"b\":2}",
        r#"{"detail":"JSON parse error - Expecting ',' delimiter: line 1 column 8 (char 7)"}"#,
    ),
    ("{\"a\":1} x", r#"{"detail":"JSON parse error - Extra data: line 1 column 9 (char 8)"}"#),
];

async fn bodies_that_are_no_object_are_refused_as_by_django_rest_framework(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    for view in VIEWS {
        for (body, expected) in BODIES {
            let answer = post_as(&service, view, JSON, body).await;
            assert_eq!((answer.status, answer.body.as_str()), (400, expected), "{view} {body}");
            answer.has_headers();
        }
        let answer = ask(&service, "POST", view, &[("content-type", JSON)], vec![b'"', 0xff, b'"']);
        let answer = answer.await;
        let start =
            r#"{"detail":"JSON parse error - 'utf-8' codec can't decode byte 0xff in position 1"#;
        assert!(answer.status == 400 && answer.body.starts_with(start), "{}", answer.body);
    }
}

async fn forms_are_read_as_well_as_json(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    service.make("ada+shop@example.com", Role::User).await;
    for (body, media_type) in [
        (format!("username=ada&password={PASSWORD}"), FORM),
        (
            format!("username=ada&password={PASSWORD}"),
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
        ),
        (format!("username=ada%2Bshop%40example.com&password={PASSWORD}"), FORM),
        (format!("username=bob&username=+ada+&&password={PASSWORD}&x"), FORM),
        (
            format!("{{\"username\":\"ada\",\"password\":\"{PASSWORD}\"}}"),
            "Application/JSON; charset=utf-8",
        ),
    ] {
        let answer = post_as(&service, OBTAIN, media_type, &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        let token = answer.text("refresh");
        post_as(&service, VERIFY, FORM, &format!("token={token}")).await.is(DONE);
    }
    for (body, expected) in [
        ("", (400, BOTH_REQUIRED)),
        ("%zz&&=&a", (400, BOTH_REQUIRED)),
        ("username=&password=", (400, BOTH_BLANK)),
        ("username=ada", (400, r#"{"password":["This field is required."]}"#)),
        (
            "username=%ff&password=%00",
            (400, r#"{"password":["Null characters are not allowed."]}"#),
        ),
        ("username=ada&password=%ff", NO_ACCOUNT),
    ] {
        post_as(&service, OBTAIN, FORM, body).await.is(expected);
    }
}

async fn white_space_around_a_field_does_not_count(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let fields = json!({ "username": " ada\u{a0}", "password": format!("\u{1f}{PASSWORD}\t") });
    let answer = post(&service, OBTAIN, fields).await;
    let token = format!(" {}\n", pair(&answer).refresh);
    verify(&service, &token).await.is(DONE);
    assert_eq!(refresh(&service, &token).await.status, 200);
}

fn not_allowed(method: &str) -> String {
    format!(r#"{{"detail":"Method \"{method}\" not allowed."}}"#)
}

async fn other_methods_and_media_types_are_refused_as_by_django_rest_framework(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    for view in VIEWS {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "FOO"] {
            let answer = ask(&service, method, view, &[], "").await;
            let told = if method == "HEAD" { String::new() } else { not_allowed(method) };
            assert_eq!((answer.status, answer.body.as_str()), (405, told.as_str()));
            answer.has_headers();
        }
        let answer = ask(&service, "OPTIONS", view, &[], "").await;
        assert_eq!((answer.status, answer.json()["renders"][0].as_str()), (200, Some(JSON)));
        answer.has_headers();
        for media_type in
            ["text/plain", "application/xml; charset=utf-8", "application/vnd.api+json", "nonsense"]
        {
            let answer = post_as(&service, view, media_type, "{}").await;
            let expected =
                format!(r#"{{"detail":"Unsupported media type \"{media_type}\" in request."}}"#);
            assert_eq!((answer.status, answer.body), (415, expected));
        }
        let answer = ask(&service, "POST", view, &[], "{}").await;
        answer.is((415, r#"{"detail":"Unsupported media type \"\" in request."}"#));
        // Without a body there is nothing to read, whatever its type.
        assert_eq!(post_as(&service, view, "text/plain", "").await.status, 400);
        for (accepted, status) in [
            ("application/json", 400),
            ("*/*", 400),
            ("application/*;q=0.5", 400),
            ("image/png, APPLICATION/JSON", 400),
            ("text/html", 400),
            ("", 400),
            ("image/png", 406),
            ("text/plain, application/xml", 406),
        ] {
            let headers = [("accept", accepted), ("content-type", JSON)];
            let answer = ask(&service, "POST", view, &headers, "{}").await;
            assert_eq!(answer.status, status, "{accepted}");
            answer.has_headers();
        }
        let answer = ask(&service, "GET", view, &[("accept", "image/png")], "").await;
        answer.is((406, r#"{"detail":"Could not satisfy the request Accept header."}"#));
    }
}

async fn a_slash_at_the_end_is_not_needed(database: Database) {
    let service = Service::start(&database, "--simplejwt-endpoints /auth/v1.0/jwt/").await;
    for view in ["", "/refresh", "/verify", "/blacklist"] {
        for slash in ["", "/"] {
            let path = format!("/auth/v1.0/jwt{view}{slash}");
            assert_eq!(post(&service, &path, json!({})).await.status, 400, "{path}");
        }
    }
    for path in ["/auth/v1.0/jwt/none/", "/auth/v1.0/jwt//", "/auth/v1.0", "/api/token/"] {
        assert_eq!(post(&service, path, json!({})).await.status, 404, "{path}");
    }
}

async fn bodies_are_bounded(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    for (media_type, start) in [(JSON, "{\"token\":\""), (FORM, "token=")] {
        let end = if media_type == JSON { "\"}" } else { "" };
        let length = 64 * 1024 - start.len() - end.len();
        for (extra, status) in [(0, 401), (1, 413)] {
            let body = format!("{start}{}{end}", "x".repeat(length + extra));
            let answer = post_as(&service, VERIFY, media_type, &body).await;
            assert_eq!(answer.status, status, "{}", answer.body);
            answer.has_headers();
        }
    }
    let nested = "[".repeat(60_000);
    assert_eq!(post_as(&service, OBTAIN, JSON, &nested).await.status, 400);
    let compressed = [("content-type", JSON), ("content-encoding", "gzip")];
    assert_eq!(ask(&service, "POST", OBTAIN, &compressed, "{}").await.status, 415);
}
