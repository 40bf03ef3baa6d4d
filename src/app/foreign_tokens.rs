//! Acceptance of another system's refresh tokens: its file, and the files of its keys.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::start_error::StartError;
use crate::auth::ForeignTokenSettings;
use crate::config::{Config, ForeignTokenFile};
use crate::crypto::foreign_key::ForeignKey;
use crate::crypto::foreign_token::ForeignTokens;

/// Far more than a key and than all settings.
const MAX_BYTES: u64 = 64 * 1024;

/// The settings; `None` where no token of another system is accepted.
pub(super) fn load(config: &Config) -> Result<Option<ForeignTokenSettings>, StartError> {
    let (Some(source), Some(file)) = (&config.foreign_tokens, file(config)?) else {
        return Ok(None);
    };
    let unusable = |reason: String| StartError::ForeignTokens(source.file.clone(), reason);
    let mut keys = Vec::new();
    for path in &file.key_files {
        let key = read(path).map_err(|error| error.to_string());
        let key = key.and_then(|content| {
            ForeignKey::parse(file.algorithm, &content).map_err(|error| error.to_string())
        });
        keys.push(
            key.map_err(|reason| unusable(format!("key file {}: {reason}", path.display())))?,
        );
    }
    Ok(Some(ForeignTokenSettings {
        source: file.source,
        tokens: ForeignTokens::new(keys, file.claims),
        terms: file.terms,
        until: file.until,
        grace: source.grace,
    }))
}

/// The file of `--accept-foreign-tokens` without its keys.
pub(super) fn file(config: &Config) -> Result<Option<ForeignTokenFile>, StartError> {
    let Some(source) = &config.foreign_tokens else { return Ok(None) };
    let path = &source.file;
    let unusable = |reason: String| StartError::ForeignTokens(path.clone(), reason);
    let content = read(path).map_err(|error| unusable(error.to_string()))?;
    let text =
        str::from_utf8(&content).map_err(|_| unusable("the file is not UTF-8 text".into()))?;
    let directory = path.parent().unwrap_or(Path::new("."));
    ForeignTokenFile::parse(text, directory).map(Some).map_err(unusable)
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("the file is larger than 64 KiB"));
    }
    Ok(content)
}
