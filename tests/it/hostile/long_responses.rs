//! Short operations with long responses are refused before execution; those of real tools are not.

use std::fmt::Write as _;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use crate::api::service::{Service, Tokens};
use crate::databases::Database;
use crate::subscriptions::event_streams::Events;

/// Introspection of a code generator that leaves out unwanted parts.
const SELECTIVE: &str = "query ($d: Boolean = true, $s: Boolean = false) { __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { kind name description @include(if: $d)
        fields(includeDeprecated: true) { name description @include(if: $d)
            args { ...I } type { ...T } isDeprecated @include(if: $d) deprecationReason @include(if: $d) }
        inputFields { ...I } interfaces { ...T }
        enumValues(includeDeprecated: true) { name description @include(if: $d)
            isDeprecated @skip(if: $s) deprecationReason @skip(if: $s) }
        possibleTypes { ...T } }
    directives { name description @include(if: $d) locations args { ...I } } } }
    fragment I on __InputValue { name description @include(if: $d) type { ...T }
        defaultValue @include(if: $d) isDeprecated @skip(if: $s) }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Introspection of the three root types with all arguments and types of their fields.
const ROOTS: &str = "{ q: __type(name: \"Query\") { ...T } m: __type(name: \"Mutation\") { ...T }
    s: __type(name: \"Subscription\") { ...T } }
    fragment T on __Type { kind name description specifiedByURL
        fields(includeDeprecated: true) { name description isDeprecated deprecationReason
            args(includeDeprecated: true) { ...I } type { ...R } }
        inputFields(includeDeprecated: true) { ...I } interfaces { ...R } possibleTypes { ...R }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } }
    fragment I on __InputValue { name description defaultValue isDeprecated deprecationReason
        type { ...R } }
    fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

async fn with_users(flags: &str) -> (Service, Tokens) {
    let service = Service::start(&Database::sqlite(), flags).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    (service, root)
}

/// The error code; fails where anything was executed.
async fn refusal(
    service: &Service,
    by: &Tokens,
    document: &str,
    variables: Value,
) -> Option<String> {
    let (_, answer) = service.post(Some(&by.access), document, variables).await;
    let code = answer["errors"][0]["extensions"]["code"].as_str()?;
    assert_eq!(answer.get("data"), None, "{document}: {answer}");
    Some(code.to_owned())
}

/// `viewer { sessions { entries { session { entries ...`, with this many levels and pages of this size.
fn nested(levels: usize, page: &str) -> String {
    let (mut opened, mut closed) = (String::new(), String::new());
    for _ in 0..levels {
        write!(opened, "blacklistEntries({page}) {{ nodes {{ session {{ ").unwrap();
        closed += "} } } ";
    }
    format!("viewer {{ sessions({page}) {{ nodes {{ {opened} id {closed} }} }} }}")
}

#[tokio::test]
async fn lists_within_lists_are_refused_by_what_they_multiply_to() {
    let (service, root) = with_users("").await;
    let lists = "sessions(first: 1) { totalCount } blacklistEntries(first: 1) { totalCount }
        auditEvents(first: 1) { totalCount }";
    let ids = "[\"x\"".to_owned() + &", \"x\"".repeat(99) + "]";
    let documents = [
        format!("{{ {} }}", nested(3, "first: 100")),
        format!("{{ {} }}", nested(3, "last: 50")),
        format!("query ($n: Int = 100) {{ {} }}", nested(2, "first: $n")),
        // A page has 20 entries by default, and where `first` is null.
        format!("{{ {} }}", nested(3, "first: null")),
        // Through edges, fragments and more than one page of the same list.
        "{ users(first: 100) { edges { node { sessions(first: 100) { edges { node { id } } } } } } }".into(),
        "{ users(first: 100) { ...U } } fragment U on UserConnection { nodes { ...S } }
         fragment S on User { sessions(first: 100) { ...N } }
         fragment N on SessionConnection { nodes { id } }".into(),
        format!("{{ users(first: 100) {{ nodes {{ {} }} }} }}", "sessions(first: 10) { nodes { id } } ".repeat(12)),
        format!("{{ users(first: 100) {{ {} }} }}", "nodes { sessions(first: 30) { nodes { id } } } ".repeat(4)),
        // Counts, empty pages, and many fields.
        format!("{{ users(first: 100) {{ nodes {{ {lists} }} }} }}"),
        format!("{{ users(first: 100) {{ nodes {{ {} }} }} }}", "sessions(first: 0) { pageInfo { hasNextPage } } ".repeat(12)),
        format!("{{ users(first: 100) {{ nodes {{ sessions(first: 90) {{ nodes {{ {} }} }} }} }} }}", "id sid state ".repeat(5)),
        // Lists of ids.
        format!("{{ nodes(ids: {ids}) {{ ... on User {{ sessions(first: 100) {{ nodes {{ id }} }} }} }} }}"),
        // Also of a mutation.
        "mutation { logout(input: { scope: ALL }) { endedSessions { blacklistEntries(first: 100) { nodes { id } } } } }".into(),
    ];
    for document in documents {
        let code = refusal(&service, &root, &document, Value::Null).await;
        assert_eq!(code.as_deref(), Some("QUERY_TOO_COMPLEX"), "{document}");
    }
    let viewer = service.send(Some(&root.access), "{ viewer { username } }", Value::Null).await;
    assert_eq!(viewer["data"]["viewer"]["username"], "root", "nobody was logged out");
}

#[tokio::test]
async fn a_document_that_is_remembered_is_judged_with_the_variables_of_each_request() {
    let (service, root) = with_users("").await;
    let pages = format!("query ($n: Int = 3) {{ {} }}", nested(2, "first: $n"));
    let ids = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User {
        sessions { nodes { blacklistEntries { nodes { id } } } } } } }";
    let judged = async |document: &str, variables: Value| {
        let code = refusal(&service, &root, document, variables).await;
        code.as_deref() == Some("QUERY_TOO_COMPLEX")
    };
    for _ in 0..3 {
        assert!(!judged(&pages, json!({ "n": 5 })).await);
        assert!(judged(&pages, json!({ "n": 100 })).await);
        assert!(!judged(&pages, json!({})).await);
        // Null is the default page size, not 3.
        assert!(!judged(&pages, json!({ "n": 20 })).await);
        assert!(!judged(&pages, json!({ "n": null })).await);
        assert!(!judged(ids, json!({ "ids": ["x"] })).await);
        assert!(judged(ids, json!({ "ids": vec!["x"; 60] })).await);
    }
}

#[tokio::test]
async fn an_event_is_a_tenth_of_an_answer() {
    let (service, root) = with_users("").await;
    let subscription = |page: usize| {
        format!(
            "subscription {{ sessionEnded {{ session {{ user {{ sessions(first: {page}) {{
            nodes {{ blacklistEntries(first: {page}) {{ nodes {{ id }} }} }} }} }} }} }} }}"
        )
    };
    let mut large = Events::open(&service, Some(&root.access), &subscription(50)).await;
    let (_, refused) = large.next().await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{refused}");
    let other = service.login("root").await;
    let mut small = Events::open(&service, Some(&root.access), &subscription(20)).await;
    service.logout(None, Some(&other.refresh), "CURRENT").await;
    let (_, event) = small.next().await.unwrap();
    assert!(event["errors"].is_null(), "{event}");
    let user = &event["data"]["sessionEnded"]["session"]["user"];
    assert_eq!(user["sessions"]["nodes"].as_array().unwrap().len(), 2, "{event}");
}

#[tokio::test]
async fn what_a_front_end_asks_for_passes() {
    let (service, root) = with_users("").await;
    let client = "client { userAgent browser os device ip lastIp }";
    let session = format!(
        "id sid state isCurrent name createdAt lastUsedAt expiresAt endedAt endReason {client}"
    );
    for document in [
        format!("{{ viewer {{ sessions(first: 100) {{ totalCount nodes {{ {session} user {{ username }} }}
            pageInfo {{ hasNextPage endCursor }} }} }} }}"),
        "{ users(first: 100) { totalCount nodes { id username email role isActive createdAt
            sessions(first: 1, filter: { state: ACTIVE }) { totalCount } } } }".into(),
        format!("{{ users {{ nodes {{ username sessions {{ nodes {{ {session} }} }}
            auditEvents {{ nodes {{ kind occurredAt ip }} }} }} }} }}"),
        "{ users { nodes { sessions { nodes { blacklistEntries { nodes { tokenId } } } } } } }".into(),
        "{ sessions(first: 100) { edges { cursor node { id user { username } blacklistEntries(first: 5) {
            nodes { tokenId reason } } } } } }".into(),
    ] {
        assert_eq!(refusal(&service, &root, &document, Value::Null).await, None, "{document}");
    }
}

#[tokio::test]
async fn an_operator_may_allow_more_nodes() {
    let document = "{ users(first: 100) { nodes { sessions(first: 100) { nodes { id } } } } }";
    for (flags, is_refused) in [("", true), ("--max-nodes 20000", false)] {
        let (service, root) = with_users(flags).await;
        let refusal = refusal(&service, &root, document, Value::Null).await;
        assert_eq!(refusal.is_some(), is_refused, "{flags}");
    }
}

#[tokio::test]
async fn introspection_is_refused_by_the_size_of_its_answer() {
    let (service, root) = with_users("").await;
    let aliases: String =
        (0..10).map(|n| format!("a{n}: __type(name: \"Query\") {{ ...T }} ")).collect();
    for document in [
        format!("{{ __schema {{ types {{ {} }} }} }}", "fields { name } ".repeat(240)),
        format!("{{ __schema {{ types {{ {} }} }} }}", "fields { args { name } } ".repeat(240)),
        format!("{{ __schema {{ types {{ {} }} }} }}", "name kind description ".repeat(400)),
        format!(
            "{{ __schema {{ types {{ fields {{ type {{ {} }} }} }} }} }}",
            "ofType { name kind } ".repeat(200)
        ),
        format!(
            "{{ __schema {{ types {{ possibleTypes {{ fields {{ {} }} }} }} }} }}",
            "name ".repeat(700)
        ),
        format!(
            "query ($n: String!) {{ {} }} fragment T on __Type {{ fields {{ {} }} }}",
            aliases.replace("\"Query\"", "$n"),
            "name description ".repeat(30)
        ),
        format!("{{ {} }}", "__schema { queryType { name } } ".repeat(41)),
        format!("{{ {} }}", "__schema { types { name description kind } } ".repeat(130)),
    ] {
        let (_, answer) = service.post(Some(&root.access), &document, json!({ "n": "User" })).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX",
            "{document:.200}"
        );
        assert_eq!(answer.get("data"), None);
    }
}

#[tokio::test]
async fn honest_introspection_is_answered_in_full() {
    let (service, _) = with_users("").await;
    for document in [SELECTIVE, ROOTS] {
        let answer = service.send(None, document, Value::Null).await;
        assert!(answer["errors"].is_null(), "{answer:.500}");
    }
    let roots = service.send(None, ROOTS, Value::Null).await;
    let fields = roots["data"]["m"]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "login"));
    let query = "{ __schema { description } }";
    let answer = service.send(None, query, Value::Null).await;
    let description = answer["data"]["__schema"]["description"].as_str().unwrap();
    assert!(description.starts_with("Sallyport") && description.ends_with('.'), "{description}");
}

#[tokio::test]
async fn a_single_value_counts_as_a_list_of_one_whatever_the_default() {
    let (service, root) = with_users("--federation").await;
    let viewer = service.send(Some(&root.access), "{ viewer { id } }", Value::Null).await;
    let id = &viewer["data"]["viewer"]["id"];
    let nodes = ("ID", "nodes(ids: $of)", id.clone());
    let entity = json!({ "__typename": "User", "id": id });
    let entities = ("_Any", "_entities(representations: $of)", entity);
    for (ty, field, value) in [nodes, entities] {
        for list in [format!("[{ty}!]!"), format!("[{ty}!] = []")] {
            let document = |levels: usize| {
                let opened = "sessions(first: 100) { nodes { user { ".repeat(levels);
                let closed = "} } } ".repeat(levels);
                format!(
                    "query ($of: {list}) {{ {field} {{ ... on User {{ {opened} id {closed} }} }} }}"
                )
            };
            let given = || json!({ "of": value });
            let answer = service.send(Some(&root.access), &document(1), given()).await;
            assert!(answer["errors"].is_null(), "{answer}");
            let code = refusal(&service, &root, &document(2), given()).await;
            assert_eq!(code.as_deref(), Some("QUERY_TOO_COMPLEX"), "{}", document(2));
        }
    }
}

#[tokio::test]
async fn each_root_of_introspection_counts_as_a_walk_through_the_schema() {
    let (service, root) = with_users("").await;
    let types = |name: &str, count: usize| {
        let (names, spreads) =
            (format!("__type(name: \"{name}\") {{ name }} "), "...F ".repeat(count));
        format!("{{ {spreads} }} fragment F on Query {{ {} }}", names.repeat(10))
    };
    for name in ["x", "PageInfo"] {
        let code = refusal(&service, &root, &types(name, 5), Value::Null).await;
        assert_eq!(code.as_deref(), Some("QUERY_TOO_COMPLEX"), "{name}");
        assert_eq!(refusal(&service, &root, &types(name, 3), Value::Null).await, None, "{name}");
    }
    let twice = "{ __schema { queryType { name } } __schema { types { kind } } }";
    let answer = service.send(None, twice, Value::Null).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query", "{answer:.500}");
}

#[tokio::test]
async fn a_document_with_several_faults_is_refused_for_the_first_in_its_text() {
    let (service, _) = with_users("").await;
    let names = ["F", "E", "D", "C", "B", "A"];
    let spreads: String = names.iter().map(|name| format!("...{name} ")).collect();
    let fragments = names.map(|name| format!("fragment {name} on User {{ __typename(x: 1) }}\n"));
    for n in 0..8 {
        let document = format!("{{ viewer {{ {spreads} }} }} # {n}\n{}", fragments.concat());
        let (_, answer) = service.post(None, &document, Value::Null).await;
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.ends_with("(line 2, column 33)."), "{answer}");
    }
}
