//! Reads the lines of an import file in a thread of its own, and passes them on in portions.

use std::io::{BufRead, Read};

use tokio::sync::mpsc;

use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use crate::domain::external_account::ExternalId;
use crate::domain::import::{Counts, Header, ImportOptions, Line, LineError, MAX_LINE_BYTES};
use crate::store::ImportedToken;

/// Records in a portion.
const PORTION: usize = 500;

/// Part of a file.
pub(super) enum Part {
    /// The first part.
    Header(Header),
    Portion(Portion),
    /// The last part.
    Failed(ImportError),
    /// The last part: the file is complete.
    End,
}

/// Records, in the order of the file.
#[derive(Default)]
pub(super) struct Portion {
    pub users: Vec<ForeignRecord>,
    /// With whether the expiry is known.
    pub tokens: Vec<(ImportedToken, bool)>,
    pub unreadable: Vec<(i64, LineError)>,
    pub unknown: u64,
    /// Bytes read so far.
    pub bytes: u64,
}

impl Portion {
    fn len(&self) -> usize {
        self.users.len() + self.tokens.len() + self.unreadable.len()
    }
}

/// Passes on the parts of a file. Blocks.
pub(super) fn read_lines(
    input: Box<dyn BufRead + Send>,
    options: ImportOptions,
    parts: &mpsc::Sender<Part>,
) {
    let mut reader = LineReader { input, bytes: 0, line: 0, buffer: Vec::new() };
    let last = match reader.pass_on(options, parts) {
        Ok(()) => Part::End,
        Err(error) => Part::Failed(error),
    };
    // Nobody may be there any more to hear it.
    let _ = parts.blocking_send(last);
}

struct LineReader {
    input: Box<dyn BufRead + Send>,
    bytes: u64,
    line: u64,
    buffer: Vec<u8>,
}

impl LineReader {
    fn pass_on(
        &mut self,
        options: ImportOptions,
        parts: &mpsc::Sender<Part>,
    ) -> Result<(), ImportError> {
        let header = self.header()?;
        let _ = parts.blocking_send(Part::Header(header));
        let (mut portion, mut counts, mut unreadable) = (Portion::default(), Counts::default(), 0);
        let end = loop {
            if !self.next_line().map_err(ImportError::Read)? {
                return Err(ImportError::CutOff(self.line));
            }
            if self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = i64::try_from(self.line).unwrap_or(i64::MAX);
            match Line::parse(&self.buffer) {
                Ok(Line::User(user)) => {
                    counts.users += 1;
                    let text = String::from_utf8_lossy(&self.buffer).into_owned();
                    portion.users.push(ForeignRecord::new(line, text, *user, options));
                }
                Ok(Line::Outstanding(token)) => {
                    counts.outstanding += 1;
                    let external_id = token.user_id.as_ref().map(ExternalId::as_str);
                    let token = ImportedToken {
                        external_id: external_id.map(str::to_owned),
                        jti: token.jti.as_str().to_owned(),
                        created_at: token.created_at,
                        expires_at: token.expires_at,
                        blacklisted_at: None,
                    };
                    portion.tokens.push((token, true));
                }
                Ok(Line::Blacklisted(token)) => {
                    counts.blacklisted += 1;
                    let known = token.expires_at.is_some();
                    let token = ImportedToken {
                        jti: token.jti.as_str().to_owned(),
                        external_id: None,
                        created_at: None,
                        expires_at: token.expires_at.unwrap_or(token.blacklisted_at),
                        blacklisted_at: Some(token.blacklisted_at),
                    };
                    portion.tokens.push((token, known));
                }
                Ok(Line::End(end)) => break end,
                Ok(Line::Header(_) | Line::Unknown) => portion.unknown += 1,
                Err(error) => {
                    unreadable += 1;
                    portion.unreadable.push((line, error));
                }
            }
            if portion.len() >= PORTION {
                portion.bytes = self.bytes;
                if parts.blocking_send(Part::Portion(std::mem::take(&mut portion))).is_err() {
                    return Ok(());
                }
            }
        };
        portion.bytes = self.bytes;
        let _ = parts.blocking_send(Part::Portion(portion));
        check_counts(counts, end, unreadable)
    }

    /// Skips what precedes the header.
    fn header(&mut self) -> Result<Header, ImportError> {
        while self.next_line().map_err(ImportError::Read)? {
            let text = self.buffer.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.buffer);
            if Line::is_header(text) {
                return match Line::parse(text) {
                    Ok(Line::Header(header)) => Ok(header),
                    Ok(_) => Err(ImportError::NoHeader),
                    Err(error) => Err(ImportError::Header(error)),
                };
            }
        }
        Err(if self.bytes == 0 { ImportError::Empty } else { ImportError::NoHeader })
    }

    /// Reads the next line without its end; `false` at the end of the file. Of a line that is too long one
    /// byte more than its limit is kept.
    fn next_line(&mut self) -> std::io::Result<bool> {
        self.buffer.clear();
        // With both characters of its end.
        let limit = MAX_LINE_BYTES as u64 + 2;
        let read = (&mut self.input).take(limit).read_until(b'\n', &mut self.buffer)?;
        self.bytes += read as u64;
        if read == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if read as u64 == limit {
            self.bytes += skip_line(&mut self.input)?;
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        Ok(true)
    }
}

/// Skips the rest of a line, and returns its bytes.
fn skip_line(input: &mut dyn BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(skipped);
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(available.len(), |end| end + 1);
        input.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

/// Compares the numbers of lines with those that the end line says. A line that cannot be read may be of any
/// kind.
fn check_counts(found: Counts, expected: Counts, unreadable: u64) -> Result<(), ImportError> {
    let kinds = [
        ("user", found.users, expected.users),
        ("outstanding", found.outstanding, expected.outstanding),
        ("blacklisted", found.blacklisted, expected.blacklisted),
    ];
    let mut unexplained = unreadable;
    for (kind, found, expected) in kinds {
        let Some(missing) = expected.checked_sub(found).filter(|missing| *missing <= unexplained)
        else {
            return Err(ImportError::Incomplete { kind, found, expected });
        };
        unexplained -= missing;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const HEADER: &str = r#"{"format":"sallyport-import","version":1,"source":"django"}"#;

    /// Numbers of users and of unreadable lines, or the error.
    async fn read(text: impl Into<Vec<u8>>) -> Result<(usize, usize), String> {
        let (sender, mut parts) = mpsc::channel(4);
        let input = Box::new(Cursor::new(text.into()));
        let reading = tokio::task::spawn_blocking(move || {
            read_lines(input, ImportOptions::default(), &sender);
        });
        let (mut users, mut unreadable) = (0, 0);
        let outcome = loop {
            match parts.recv().await.unwrap() {
                Part::Header(_) => {}
                Part::Portion(portion) => {
                    users += portion.users.len();
                    unreadable += portion.unreadable.len();
                }
                Part::Failed(error) => break Err(error.to_string()),
                Part::End => break Ok((users, unreadable)),
            }
        };
        reading.await.unwrap();
        outcome
    }

    fn file(lines: &[&str]) -> String {
        lines.join("\n")
    }

    #[tokio::test]
    async fn lines_before_the_header_and_empty_ones_are_skipped() {
        let text = file(&[
            "12 objects imported automatically (use -v 2 for details).",
            "",
            &format!("\u{feff}{HEADER}\r"),
            r#"{"kind":"user","id":"1"}"#,
            "  ",
            r#"{"kind":"end","users":1}"#,
            "bye",
        ]);
        assert_eq!(read(text).await, Ok((1, 0)));
    }

    #[tokio::test]
    async fn a_file_that_is_not_whole_says_so() {
        let user = r#"{"kind":"user","id":"1"}"#;
        for (lines, said) in [
            (&[][..], "is empty"),
            (&["hello"][..], "has no header"),
            (&[user][..], "has no header"),
            (&[HEADER, user][..], "cut off"),
            (&[HEADER, user, r#"{"kind":"end","us"#][..], "cut off"),
            (&[HEADER, user, r#"{"kind":"end","users":2}"#][..], "the end line says 2"),
            (&[HEADER, user, user, r#"{"kind":"end","users":1}"#][..], "the end line says 1"),
            (&[HEADER.replace("1,", "2,").as_str()][..], "another version"),
        ] {
            let error = read(file(lines)).await.unwrap_err();
            assert!(error.contains(said), "{lines:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_read_may_be_of_any_kind() {
        let long = "x".repeat(3 * MAX_LINE_BYTES);
        let end = r#"{"kind":"end","users":1,"outstanding":1,"blacklisted":0}"#;
        let text = file(&[HEADER, &long, r#"{"kind":"user"}"#, end]);
        assert_eq!(read(text).await, Ok((0, 2)));
        let text = [HEADER.as_bytes(), b"\n\xff\n", end.as_bytes()].concat();
        assert!(read(text).await.unwrap_err().contains("kind outstanding"));
    }
}
