//! Graceful shutdown: accepted requests are answered.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::server::{Exchange, Server, login_body};

/// More logins than there are cores, so that most of them wait for one when the signal comes.
const ACCEPTED: usize = 40;

/// Waits until connections are refused: the server has received the signal.
fn until_closed(server: &Server) {
    while TcpStream::connect(server.address).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_accepted_before_a_signal_is_answered_after_it() {
    // Cheap and unlimited: on a busy machine they would wait for each other until they are refused.
    let server = Server::start("--hashing-memory 8 --hashing-passes 1 --throttle false");
    let (address, answered) = (server.address, AtomicUsize::new(0));
    let body = login_body();
    let login = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    thread::scope(|scope| {
        // A load that goes on until the door is shut: each answer is whole, or there is none.
        for _ in 0..8 {
            scope.spawn(|| {
                while let Ok(mut exchange) = Exchange::begin(address, &login) {
                    match exchange.answer() {
                        Ok(answer) if answer.is_empty() => break,
                        Ok(answer) => {
                            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                            assert!(answer.contains("accessToken"), "{answer}");
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        // It was in the system's queue when the door was shut.
                        Err(_) => break,
                    }
                }
            });
        }
        let accepted: Vec<_> = (0..ACCEPTED).map(|_| Exchange::accepted(address)).collect();
        server.signal("TERM");
        until_closed(&server);
        for (mut exchange, body) in accepted {
            scope.spawn(move || {
                exchange.send(&body);
                let answer = exchange.answer().expect("an answer");
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                assert!(answer.contains("accessToken"), "{answer}");
            });
        }
    });
    let (status, log) = server.end();
    assert!(status.success(), "{status}");
    let log = log.join("\n");
    assert!(log.contains("\"stopped\"") && !log.contains("did not finish in time"), "{log}");
    assert!(answered.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_second_signal_ends_at_once() {
    let server = Server::start("");
    // It would be waited for.
    let _accepted = Exchange::accepted(server.address);
    server.signal("INT");
    until_closed(&server);
    let log = server.stop("TERM");
    assert!(log.join("\n").contains("did not finish in time"), "{log:?}");
}

#[test]
fn who_never_ends_does_not_keep_a_server_from_it() {
    let server = Server::start("");
    let _accepted = Exchange::accepted(server.address);
    server.stop("TERM");
}
