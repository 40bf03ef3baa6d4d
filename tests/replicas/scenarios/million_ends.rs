//! A day on which a million sessions ended.

use std::fs;

use super::same;
use crate::cluster::Cluster;
use crate::replica::{Replica, Spec};
use crate::server::Server;
use crate::times;

#[tokio::test(flavor = "multi_thread")]
async fn a_million_ended_sessions_fit_into_little_memory_and_are_read_before_it_is_ready() {
    let server = Server::start().await;
    let mut cluster =
        Cluster::start("million", || async { same(1, &Spec::new(server.url())) }).await;
    let replica = &cluster.replicas[0];
    let without = replica.restart().await;
    let (empty, _) = memory(replica);
    let count = times(50_000, 1_000_000);
    server
        .execute(&format!(
            "INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
             SELECT gen_random_uuid(), gen_random_uuid(), 'LOGOUT', 1, \
             (extract(epoch FROM now()) * 1000000)::bigint + 900000000 \
             FROM generate_series(1, {count})"
        ))
        .await;
    let with = replica.restart().await;
    let (full, most) = memory(replica);
    let recovery = cluster.recover().await;
    let seen = vec![format!(
        "- {count} ended sessions of which a token may live: {full} MiB instead of {empty}, {most} at most \
         while they are read; ready after {with:.1?} instead of {without:.1?}; everything answered \
         {recovery:.1?} later"
    )];
    cluster.judge("A million ended sessions", Vec::new(), seen).await;
}

/// What a process has in memory, and the most that it ever had, in MiB.
fn memory(replica: &Replica) -> (usize, usize) {
    let status = fs::read_to_string(format!("/proc/{}/status", replica.pid())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}
