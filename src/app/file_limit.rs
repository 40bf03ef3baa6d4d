//! Limit of open files of the process.

/// Files that the service needs: one per connection, and some for the database and others.
pub(super) fn files_for(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(256)
}

/// Raises the limit. Many systems permit a process 1024 files and let it ask for more.
pub(super) fn raise_file_limit(connections: usize) {
    let wanted = files_for(connections);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(files) if files < wanted => {
            tracing::warn!(
                files,
                connections,
                "the limit of open files is lower than --max-connections requires"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "raising the limit of open files failed"),
    }
}
