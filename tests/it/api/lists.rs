//! Connections: pages, filters, counts, and the number of statements.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, Tokens, tokens};
use crate::databases::{Database, on_both};
use crate::response::is_moment;

on_both!(
    pages_in_both_directions_are_the_whole_list,
    filters_find_what_they_say,
    a_time_that_was_read_finds_its_rows_again,
    a_page_of_nothing_says_what_is_around_it,
    a_page_that_cannot_be_is_refused,
);

// A loader waits a millisecond for who else asks; a resolver that a busy machine interrupts for longer
// asks twice.
on_both!(one thread: a_page_takes_as_many_statements_as_a_longer_page);

/// Ten users with two sessions each, of which one is ended; and an administrator.
async fn crowd(database: &Database) -> (Service, Tokens) {
    let service = Service::start(database, "").await;
    service.make("root", Role::Admin).await;
    for n in 0..10 {
        let name = format!("user{n}");
        service.make(&name, Role::User).await;
        for scope in ["CURRENT", ""] {
            service.clock.advance(Duration::from_millis(3));
            let login = service.login(&name).await;
            service.clock.advance(Duration::from_millis(3));
            let next = tokens(&service.refresh(&login.refresh, None).await).unwrap();
            service.clock.advance(Duration::from_millis(3));
            if !scope.is_empty() {
                service.logout(Some(&next.access), None, scope).await;
            }
        }
    }
    service.clock.advance(Duration::from_millis(3));
    let root = service.login("root").await;
    (service, root)
}

async fn pages_in_both_directions_are_the_whole_list(database: Database) {
    let (service, root) = crowd(&database).await;
    for (field, key, count) in
        [("users", "username", 11), ("sessions", "sid", 21), ("blacklistEntries", "tokenId", 30)]
    {
        let whole =
            format!("{{ list: {field}(first: 100) {{ totalCount nodes {{ key: {key} }} }} }}");
        let answer = service.send(Some(&root.access), &whole, Value::Null).await;
        let whole = keys(&answer);
        assert_eq!(whole.len(), count, "{answer}");
        assert_eq!(answer["data"]["list"]["totalCount"], count);
        for (size, from) in [("first", "after"), ("last", "before")] {
            let query = format!(
                "query($n: Int, $c: String) {{ list: {field}({size}: $n, {from}: $c) {{
                nodes {{ key: {key} }} edges {{ cursor node {{ key: {key} }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
            );
            let (mut collected, mut cursor) = (Vec::new(), Value::Null);
            loop {
                let variables = json!({ "n": 4, "c": cursor });
                let answer = service.send(Some(&root.access), &query, variables).await;
                let info = &answer["data"]["list"]["pageInfo"];
                let page = keys(&answer);
                let forward = size == "first";
                let more = if forward { "hasNextPage" } else { "hasPreviousPage" };
                cursor = info[if forward { "endCursor" } else { "startCursor" }].clone();
                collected =
                    if forward { [collected, page].concat() } else { [page, collected].concat() };
                if info[more] == false {
                    break;
                }
            }
            assert_eq!(collected, whole, "{field} {size}");
        }
    }
}

fn keys(answer: &Value) -> Vec<String> {
    let nodes = answer["data"]["list"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()).collect()
}

async fn filters_find_what_they_say(database: Database) {
    let (service, root) = crowd(&database).await;
    let count = async |field: &str, filter: &str| {
        let query = format!("{{ list: {field}(filter: {{ {filter} }}) {{ totalCount }} }}");
        let answer = service.send(Some(&root.access), &query, Value::Null).await;
        answer["data"]["list"]["totalCount"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    };
    assert_eq!(count("users", "search: \"USER\"").await, 10);
    assert_eq!(count("users", "search: \"user3\"").await, 1);
    assert_eq!(count("users", "role: ADMIN").await, 1);
    assert_eq!(count("users", "isActive: false").await, 0);
    assert_eq!(count("sessions", "state: ACTIVE").await, 11);
    assert_eq!(count("sessions", "state: ENDED").await, 10);
    assert_eq!(count("sessions", "state: EXPIRED").await, 0);
    assert_eq!(count("sessions", "endReason: LOGOUT").await, 10);
    assert_eq!(count("sessions", "ip: \"192.0.2.0/24\"").await, 0);
    assert_eq!(count("sessions", "userAgentContains: \"%\"").await, 0);
    assert_eq!(count("sessions", "createdAt: { after: \"2020-01-01T00:00:00Z\" }").await, 21);
    assert_eq!(count("sessions", "lastUsedAt: { before: \"2020-01-01T00:00:00Z\" }").await, 0);
    assert_eq!(count("blacklistEntries", "reasons: [ROTATED]").await, 20);
    assert_eq!(count("blacklistEntries", "reasons: [LOGOUT, ADMIN]").await, 10);
    assert_eq!(count("blacklistEntries", "reasons: []").await, 0);
    const ONE: &str = "{ user(username: \"user3\") { id sessions(filter: { state: ENDED }) {
        nodes { id blacklistEntries { nodes { tokenId reason } } } } } }";
    let answer = service.send(Some(&root.access), ONE, Value::Null).await;
    let user = &answer["data"]["user"];
    let session = &user["sessions"]["nodes"][0];
    let entries = session["blacklistEntries"]["nodes"].as_array().unwrap();
    let reasons: Vec<_> = entries.iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["LOGOUT", "ROTATED"]);
    assert_eq!(count("sessions", &format!("userId: {}", user["id"])).await, 2);
    assert_eq!(count("blacklistEntries", &format!("sessionId: {}", session["id"])).await, 2);
    let token = format!("tokenId: {}", entries[0]["tokenId"]);
    assert_eq!(count("blacklistEntries", &token).await, 1);
}

async fn a_page_takes_as_many_statements_as_a_longer_page(database: Database) {
    let (service, root) = crowd(&database).await;
    const PAGE: &str = "query($n: Int!) {
        sessions(first: $n) { nodes { user { username } endedBy { username } } }
        blacklistEntries(first: $n) {
            nodes { session { user { username } } user { username } actor { username } } } }";
    let mut taken = Vec::new();
    for size in [2, 20] {
        let before = service.core.store.operations();
        let answer = service.send(Some(&root.access), PAGE, json!({ "n": size })).await;
        let nodes = &answer["data"]["blacklistEntries"]["nodes"];
        assert_eq!(nodes.as_array().unwrap().len(), size, "{answer}");
        assert!(nodes[0]["session"]["user"]["username"].is_string());
        taken.push(service.core.store.operations() - before);
    }
    // Two lists; their users; the sessions of entries, and those sessions' users.
    assert!(taken[1] <= 6, "{taken:?}");
    let ids: Vec<Value> = {
        let answer = service
            .send(Some(&root.access), "{ sessions(first: 20) { nodes { id } } }", Value::Null)
            .await;
        let nodes = answer["data"]["sessions"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["id"].clone()).collect()
    };
    let before = service.core.store.operations();
    const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let answer = service.send(Some(&root.access), NODES, json!({ "ids": ids })).await;
    assert_eq!(answer["data"]["nodes"].as_array().unwrap().len(), 20);
    assert_eq!(service.core.store.operations() - before, 1);
}

async fn a_time_that_was_read_finds_its_rows_again(database: Database) {
    let (service, root) = crowd(&database).await;
    let ask = async |list: &str, time: &str, filter: &str| {
        let query = format!(
            "{{ {list}(first: 100, filter: {{ {time}: {{ {filter} }} }}) {{
                totalCount nodes {{ id {time} }} }} }}"
        );
        let answer = service.send(Some(&root.access), &query, Value::Null).await;
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        answer["data"][list].clone()
    };
    for (list, time) in [
        ("sessions", "createdAt"),
        ("sessions", "lastUsedAt"),
        ("blacklistEntries", "blacklistedAt"),
        ("auditEvents", "occurredAt"),
    ] {
        let all = ask(list, time, "").await;
        let count = all["totalCount"].as_u64().unwrap();
        for node in all["nodes"].as_array().unwrap().iter().step_by(7) {
            let at = node[time].as_str().unwrap();
            assert!(is_moment(at), "{at}");
            let from = ask(list, time, &format!("after: \"{at}\"")).await;
            let until = ask(list, time, &format!("before: \"{at}\"")).await;
            assert!(from["nodes"].as_array().unwrap().contains(node), "{list} {at}");
            assert!(!until["nodes"].as_array().unwrap().contains(node), "{list} {at}");
            let (from, until) = (from["totalCount"].as_u64(), until["totalCount"].as_u64());
            assert_eq!(from.unwrap() + until.unwrap(), count, "{list} {at}");
        }
        for (ever, never) in [
            ("before: \"9999-12-31T23:59:59.999Z\"", "after: \"9999-12-31T23:59:59.999Z\""),
            ("before: \"9999-12-31T23:59:59.999-23:59\"", "after: \"9999-12-31T23:59:59-23:59\""),
            ("after: \"0000-01-01T00:00:00.000Z\"", "before: \"0000-01-01T00:00:00.000Z\""),
            ("after: \"0000-01-01T00:00:00+23:59\"", "before: \"0000-01-01T00:00:00z\""),
        ] {
            assert_eq!(ask(list, time, ever).await["totalCount"], count, "{ever}");
            assert_eq!(ask(list, time, never).await["totalCount"], 0, "{never}");
        }
    }
    for wrong in ["2026-11-24 08:00:00Z", "2026-11-24T08:00:00.000-00:00", "2026-11-24"] {
        let query = format!(
            "{{ sessions(filter: {{ createdAt: {{ after: \"{wrong}\" }} }}) {{ totalCount }} }}"
        );
        let answer = service.send(Some(&root.access), &query, Value::Null).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}

async fn a_page_of_nothing_says_what_is_around_it(database: Database) {
    let (service, root) = crowd(&database).await;
    const SELECTED: &str = "totalCount nodes { id } edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    for (field, count) in [("users", 11), ("sessions", 21), ("blacklistEntries", 30)] {
        for (size, next, previous) in [("first", true, false), ("last", false, true)] {
            let query = format!("{{ list: {field}({size}: 0) {{ {SELECTED} }} }}");
            let answer = service.send(Some(&root.access), &query, Value::Null).await;
            let expected = json!({ "totalCount": count, "nodes": [], "edges": [], "pageInfo": {
                "hasNextPage": next, "hasPreviousPage": previous,
                "startCursor": null, "endCursor": null } });
            assert_eq!(answer["data"]["list"], expected, "{field} {size}");
        }
    }
    // Nothing follows the last one.
    let last = "{ list: users(last: 1) { edges { cursor } } }";
    let answer = service.send(Some(&root.access), last, Value::Null).await;
    let cursor = answer["data"]["list"]["edges"][0]["cursor"].clone();
    let query =
        format!("query($c: String) {{ list: users(first: 0, after: $c) {{ {SELECTED} }} }}");
    let answer = service.send(Some(&root.access), &query, json!({ "c": cursor })).await;
    let info = &answer["data"]["list"]["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(false), &json!(true)));
}

async fn a_page_that_cannot_be_is_refused(database: Database) {
    let (service, root) = crowd(&database).await;
    for arguments in [
        "first: -1",
        "first: 101",
        "last: -1",
        "first: 1, last: 1",
        "after: \"x\"",
        "before: \"\"",
        "filter: { ip: \"1.2.3\" }",
        "filter: { userId: \"x\" }",
        "filter: { userAgentContains: \"\\u0000\" }",
    ] {
        let query = format!("{{ sessions({arguments}) {{ totalCount }} viewer {{ username }} }}");
        let (_, answer) = service.post(Some(&root.access), &query, Value::Null).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        let is_parse = arguments.contains("u0000") && code == "GRAPHQL_PARSE_FAILED";
        assert!(code == "BAD_USER_INPUT" || is_parse, "{arguments}: {answer}");
        // The other field is answered all the same.
        assert!(is_parse || answer["data"]["viewer"]["username"] == "root", "{answer}");
    }
    let query = "{ sessions { nodes { id } } }";
    let answer = service.send(Some(&root.access), query, Value::Null).await;
    assert_eq!(answer["data"]["sessions"]["nodes"].as_array().unwrap().len(), 20);
}
