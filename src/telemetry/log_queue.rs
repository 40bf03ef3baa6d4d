//! Bounded queue between the log and standard error.
//!
//! Logging never waits for the reader of the log. One thread writes the lines in order. While it cannot
//! write, because the reader of a pipe has stopped, lines are kept up to a bound. Further lines are dropped
//! and counted, and one line tells their number when the reader continues.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Largest number of queued bytes, about the lines of a busy process in one second. As many may be being
/// written.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Largest single write, in whole lines: a pipe does not mix so many bytes with those of another process
/// (`PIPE_BUF`).
const MAX_WRITE: usize = 4096;

/// Time for collecting lines before they are written. With few processors, waking the writer for each line
/// would preempt the thread that logs it.
const BATCH_DELAY: Duration = Duration::from_millis(5);

/// Wait before writing again to a full pipe in non-blocking mode.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

pub(super) struct LogQueue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    max_bytes: usize,
}

struct State {
    lines: Vec<u8>,
    /// Number of lines dropped since the writer took the last batch.
    dropped: u64,
    is_writing: bool,
}

impl LogQueue {
    pub(super) const fn new(max_bytes: usize) -> Self {
        let state = State { lines: Vec::new(), dropped: 0, is_writing: false };
        let (filled, emptied) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), filled, emptied, max_bytes }
    }

    /// Adds a line; false if it was dropped.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.lock();
        if state.lines.len() + line.len() > self.max_bytes {
            state.dropped += 1;
            return false;
        }
        state.lines.extend_from_slice(line);
        let is_writing = state.is_writing;
        drop(state);
        // Waking a thread that is awake costs a system call as well.
        if !is_writing {
            self.filled.notify_one();
        }
        true
    }

    /// Writes lines for ever. Calls `report_dropped` with the number of dropped lines before the batch after
    /// them, so that a line about them is in their place.
    pub(super) fn run(&self, mut output: impl Write, report_dropped: impl Fn(u64)) -> ! {
        let mut batch = Vec::new();
        loop {
            let mut state = self.lock();
            while state.lines.is_empty() {
                state.is_writing = false;
                self.emptied.notify_all();
                self.filled.wait(&mut state);
            }
            state.is_writing = true;
            drop(state);
            std::thread::sleep(BATCH_DELAY);
            let mut state = self.lock();
            mem::swap(&mut state.lines, &mut batch);
            let dropped = mem::take(&mut state.dropped);
            drop(state);
            if dropped > 0 {
                report_dropped(dropped);
            }
            for chunk in chunks(&batch) {
                write(&mut output, chunk);
            }
            batch.clear();
            batch.shrink_to(MAX_WRITE);
        }
    }

    /// Waits until all lines are written, or for `max_wait`.
    pub(super) fn flush(&self, max_wait: Duration) {
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        self.emptied.wait_while_for(&mut self.lock(), is_busy, max_wait);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Whole lines in chunks of at most [`MAX_WRITE`] bytes; a longer line is a chunk by itself.
fn chunks(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end_of_line = |byte: &u8| *byte == b'\n';
    std::iter::from_fn(move || {
        let within = lines.get(..MAX_WRITE).map(|chunk| chunk.iter().rposition(end_of_line));
        let end = match within {
            None => lines.len(),
            Some(Some(last)) => last + 1,
            Some(None) => lines.iter().position(end_of_line).map_or(lines.len(), |end| end + 1),
        };
        let (chunk, rest) = lines.split_at(end);
        lines = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Writes all bytes. Gives up on errors, because a log that nobody can read must not stop the service.
fn write(output: &mut impl Write, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return,
            Ok(written) => bytes = &bytes[written..],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => std::thread::sleep(RETRY_INTERVAL),
                _ => return,
            },
        }
    }
}

/// Writer for tracing-subscriber, which calls `write` once per line.
pub(super) struct LogLine(pub fn(&[u8]));

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        (self.0)(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    /// An output whose writes wait until the test receives them.
    struct Reader(Sender<String>, Receiver<()>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The writer thread continues after the test's end.
            let _ = self.0.send(String::from_utf8(bytes.to_vec()).unwrap());
            let _ = self.1.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    /// A queue with a thread that writes; the received writes, and a sender that lets the output continue.
    fn queue(max_bytes: usize) -> (&'static LogQueue, Receiver<String>, Sender<()>) {
        let queue: &LogQueue = Box::leak(Box::new(LogQueue::new(max_bytes)));
        let ((written, writes), (reads, read)) = (channel(), channel());
        thread::spawn(move || {
            queue.run(Reader(written, read), |dropped| {
                queue.push(format!("dropped {dropped}\n").as_bytes());
            })
        });
        (queue, writes, reads)
    }

    #[test]
    fn lines_are_written_in_order_and_dropped_ones_are_reported_when_the_reader_continues() {
        let (queue, writes, reads) = queue(10);
        assert!(queue.push(b"one\n"));
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "one\n");
        // The reader has stopped, and there is room for two lines.
        let pushed = [b"two\n", b"3rd\n", b"4th\n", b"5th\n"].map(|line| queue.push(line));
        assert_eq!(pushed, [true, true, false, false]);
        queue.flush(Duration::from_millis(1));
        drop(reads);
        queue.flush(LONG);
        assert!(queue.push(b"six\n"));
        queue.flush(LONG);
        assert_eq!(writes.try_iter().collect::<String>(), "two\n3rd\ndropped 2\nsix\n");
    }

    #[test]
    fn a_flush_waits_until_all_is_written() {
        let (queue, writes, reads) = queue(1000);
        drop(reads);
        for _ in 0..50 {
            queue.push(b"a line\n");
        }
        queue.flush(LONG);
        assert_eq!(writes.try_iter().collect::<String>(), "a line\n".repeat(50));
    }

    #[test]
    fn a_chunk_is_whole_lines_that_fit_into_a_pipe_at_once() {
        let lines = format!("{}\n", "a".repeat(999)).repeat(9) + &"b".repeat(5000) + "\nc\n";
        let lengths: Vec<usize> = chunks(lines.as_bytes()).map(<[u8]>::len).collect();
        assert_eq!(lengths, [4000, 4000, 1000, 5001, 2]);
    }
}
