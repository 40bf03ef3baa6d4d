//! What is done to the service.

mod clients_gone;
mod clocks;
mod database_faults;
mod feed_faults;
mod full_disk;
mod kills;
mod locks;
mod logout_latency;
mod million_ends;
mod pooler;
mod very_many_ends;

use std::time::Duration;

use tokio::time::sleep;

use crate::proxy::Proxy;
use crate::replica::Spec;
use crate::server::{Server, url};

/// Lets the clients work that long.
async fn work_for(seconds: usize) {
    sleep(Duration::from_secs(seconds as u64)).await;
}

/// The same replica, that many times.
fn alike(count: usize, spec: &Spec) -> Vec<Spec> {
    vec![spec.clone(); count]
}

/// A server whose every connection goes through one proxy.
async fn server_behind_proxy() -> (Server, Proxy) {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    (server, proxy)
}

/// A replica of the database behind the proxy.
fn behind(proxy: &Proxy) -> Spec {
    Spec::new(url(proxy.address))
}
