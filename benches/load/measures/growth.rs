//! Latency of a page of a list while the tables grow tenfold.

use serde_json::{Value, json};

use crate::Scale;
use crate::chart::Growth;
use crate::clients::Repeat;
use crate::database::{Database, Kind};
use crate::driver::run_times;
use crate::report::{Goal, Report};
use crate::service::Service;

/// Name, field and filter (in GraphQL) of each list.
const LISTS: [(&str, &str, &str); 8] = [
    ("sessions", "sessions", "{}"),
    ("sessions: active", "sessions", "{ state: ACTIVE }"),
    ("sessions: ended", "sessions", "{ state: ENDED }"),
    ("sessions: of a user agent", "sessions", "{ userAgentContains: \"agent/7\" }"),
    ("sessions: used lately", "sessions", "{ lastUsedAt: { after: \"2000-01-01T00:00:00Z\" } }"),
    ("entries", "blacklistEntries", "{}"),
    ("entries: by reason", "blacklistEntries", "{ reasons: [LOGOUT] }"),
    (
        "entries: of a time",
        "blacklistEntries",
        "{ blacklistedAt: { after: \"2000-01-01T00:00:00Z\" } }",
    ),
];

const FAR_PAGE: usize = 1000;

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let database = Database::new(kind).await;
    drop(Service::start(&database, &[]).await);
    let mut filled = 0;
    for &rows in &scale.rows {
        database.add_sessions(filled, rows).await;
        filled = rows;
        let service = Service::start(&database, &[]).await;
        let access = service.log_in(1).await.remove(0).access;
        for (name, field, filter) in LISTS {
            let first = page(field, filter, None);
            let first_p99 = p99(&service, &access, &first, scale).await;
            report.grow(Growth { list: name, far: false, kind, rows, p99: first_p99 });
            if let Some(cursor) = far_cursor(&service, &access, field, filter, scale).await {
                let far = page(field, filter, Some(&cursor));
                let far_p99 = p99(&service, &access, &far, scale).await;
                report.grow(Growth { list: name, far: true, kind, rows, p99: far_p99 });
            }
        }
    }
    let worst = report.slowest_page(kind);
    report.amount("the slowest page at the most rows, p99", kind, worst, "ms", Goal::AtMost(10.0));
}

fn page(field: &str, filter: &str, after: Option<&str>) -> String {
    let after = after.map(|cursor| format!(", after: \"{cursor}\"")).unwrap_or_default();
    format!(
        "{{ {field}(first: 10, filter: {filter}{after}) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
    )
}

async fn p99(service: &Service, access: &str, document: &str, scale: &Scale) -> f64 {
    let client = Repeat::document(document, Some(access), "endCursor");
    let measured = run_times(service.address, client, scale.pages).await;
    assert_eq!(measured.bad, 0, "answers to {document} that were none");
    measured.p99()
}

/// The cursor before the thousandth page, found by pages of a hundred; `None` if the list is shorter.
async fn far_cursor(
    service: &Service,
    access: &str,
    field: &str,
    filter: &str,
    scale: &Scale,
) -> Option<String> {
    let document = format!(
        "query P($after: String) {{ {field}(first: 100, after: $after, filter: {filter}) \
         {{ pageInfo {{ endCursor hasNextPage }} }} }}"
    );
    let mut after = Value::Null;
    let pages = if scale.turns == 1 { 1 } else { FAR_PAGE * 10 / 100 };
    for _ in 0..pages {
        let answer = service.ask(Some(access), &document, json!({ "after": after })).await;
        let info = &answer["data"][field]["pageInfo"];
        after = info["endCursor"].clone();
        if info["hasNextPage"] != true {
            return None;
        }
    }
    after.as_str().map(str::to_owned)
}
