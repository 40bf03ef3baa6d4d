//! What the targets share.

pub mod depth;
pub mod forger;

use std::thread;

/// Half of what a worker of the service has: what survives here has room to spare there.
const STACK: usize = 1024 * 1024;

/// Runs `work` where an endless recursion is found soon.
pub fn on_a_small_stack(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        worker.expect("a thread").join().expect("no panic");
    });
}
