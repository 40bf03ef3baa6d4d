//! Bounded queue between the log and standard error.
//!
//! Rule: logging never waits for whoever reads the log. One thread writes, in the order of logging.
//! While it cannot, because the reader of a pipe stands still, lines are kept up to a bound; beyond it
//! they are dropped and counted, and one line says how many once the reader goes on.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The most bytes that wait, and as many that are being written: a second of a busy process.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// The most that is written at once, in whole lines: a pipe takes so much without mixing it with what
/// another process writes there (`PIPE_BUF`).
const MAX_WRITE: usize = 4096;

/// How long lines are gathered before they are written: to be woken for each would stop the thread that
/// logs it, where processors are scarce.
const BATCH_DELAY: Duration = Duration::from_millis(5);

/// How long to wait before a pipe that does not block is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Lines that wait to be written.
pub(super) struct LogQueue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    max_bytes: usize,
}

struct State {
    lines: Vec<u8>,
    /// Lines dropped since these began.
    dropped: u64,
    is_writing: bool,
}

impl LogQueue {
    pub(super) const fn new(max_bytes: usize) -> Self {
        let state = State { lines: Vec::new(), dropped: 0, is_writing: false };
        let (filled, emptied) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), filled, emptied, max_bytes }
    }

    /// Adds a line; whether there was room.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.lock();
        if state.lines.len() + line.len() > self.max_bytes {
            state.dropped += 1;
            return false;
        }
        state.lines.extend_from_slice(line);
        let is_writing = state.is_writing;
        drop(state);
        // To wake a thread that is awake is a system call, too.
        if !is_writing {
            self.filled.notify_one();
        }
        true
    }

    /// Writes what is added, for good. Tells how many lines were dropped, where any were: what is logged
    /// of it stands where they would.
    pub(super) fn run(&self, mut output: impl Write, tell: impl Fn(u64)) -> ! {
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
                tell(dropped);
            }
            for piece in pieces(&batch) {
                write(&mut output, piece);
            }
            batch.clear();
            batch.shrink_to(MAX_WRITE);
        }
    }

    /// Waits until all is written, for so long at most.
    pub(super) fn flush(&self, max_wait: Duration) {
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        self.emptied.wait_while_for(&mut self.lock(), is_busy, max_wait);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// The lines in pieces of [`MAX_WRITE`] bytes; a line that is longer is one by itself.
fn pieces(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end_of_line = |byte: &u8| *byte == b'\n';
    std::iter::from_fn(move || {
        let within = lines.get(..MAX_WRITE).map(|piece| piece.iter().rposition(end_of_line));
        let end = match within {
            None => lines.len(),
            Some(Some(last)) => last + 1,
            Some(None) => lines.iter().position(end_of_line).map_or(lines.len(), |end| end + 1),
        };
        let (piece, rest) = lines.split_at(end);
        lines = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Writes all of it, or what can be: a log that nobody can read any more stops nothing.
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

/// Writes an event of the log: one call is one line.
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

    /// An output whose writes wait until the test takes them.
    struct Reader(Sender<String>, Receiver<()>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The thread of a test that is over writes on.
            let _ = self.0.send(String::from_utf8(bytes.to_vec()).unwrap());
            let _ = self.1.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    /// A queue of so many bytes with a thread that writes; what was written, and who reads on.
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
    fn lines_are_written_in_order_and_the_drops_are_told_when_the_reader_goes_on() {
        let (queue, writes, reads) = queue(10);
        assert!(queue.push(b"one\n"));
        assert_eq!(writes.recv_timeout(LONG).unwrap(), "one\n");
        // The reader stands still, and two lines have room.
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
    fn a_piece_is_whole_lines_that_fit_into_a_pipe_at_once() {
        let lines = format!("{}\n", "a".repeat(999)).repeat(9) + &"b".repeat(5000) + "\nc\n";
        let lengths: Vec<usize> = pieces(lines.as_bytes()).map(<[u8]>::len).collect();
        assert_eq!(lengths, [4000, 4000, 1000, 5001, 2]);
    }
}
