//! Machines whose clocks are minutes off.

use std::fs;
use std::path::PathBuf;

use super::work_for;
use crate::browser::Retries;
use crate::cluster::Cluster;
use crate::load::Load;
use crate::replica::Spec;
use crate::server::Server;
use crate::times;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_clock_is_minutes_off_does_as_the_others_do() {
    let server = Server::start().await;
    let mut cluster = Cluster::start("clocks", || async {
        let spec = Spec::new(server.url());
        vec![spec.clone(), off(&spec, "+300s"), off(&spec, "-300s")]
    })
    .await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    work_for(times(8, 60)).await;
    let browsers = load.stop().await;
    cluster.recover().await;
    let seen =
        vec!["- of three replicas one's clock is 5 min ahead, one's 5 min behind".to_owned()];
    cluster.judge("Clocks five minutes off (libfaketime)", browsers, seen).await;
}

/// The same replica on a machine whose wall clock is off.
fn off(spec: &Spec, by: &str) -> Spec {
    let library = fs::read_dir("/usr/lib").unwrap().flatten().find_map(|entry| {
        let path: PathBuf = entry.path().join("faketime/libfaketime.so.1");
        path.exists().then_some(path)
    });
    let library = library.expect("libfaketime: tests/run installs it");
    let mut spec = spec.clone();
    spec.variables = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME", by),
        // Time that passes is right on every machine.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    spec
}
