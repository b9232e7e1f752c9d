//! `path.data` as one run has it: made when it is missing, and locked against other runs.
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the lock's file, as Logstash has it.
const LOCK: &str = ".lock";

/// A claim on a data directory. It ends when this is dropped, or with the process however that ends; the file stays.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Why a data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("path.data: {} cannot be used: {source}", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "path.data: {} is in use by another instance; to run several, give each a path.data of its own",
        .0.display()
    )]
    InUse(PathBuf),
}

/// Makes the directory if need be and locks it, as Logstash does at start (runner.rb, `FileLockFactory`).
// MSRV: the dependencies need a newer Rust than the manifest names, and than `File::try_lock` does (1.89).
#[allow(clippy::incompatible_msrv)]
pub fn claim(directory: &Path) -> Result<DataLock, DataError> {
    let unusable = |source| DataError::Unusable { path: directory.to_owned(), source };
    fs::create_dir_all(directory).map_err(unusable)?;
    let path = directory.join(LOCK);
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(DataError::InUse(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_and_had_by_one_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("new/data");
        let lock = claim(&data).expect("nobody else has it");
        let error = claim(&data).expect_err("it is taken").to_string();
        assert!(error.contains("in use by another instance") && error.contains("new/data"), "{error}");
        drop(lock);
        claim(&data).expect("it is free again");
    }

    #[test]
    fn a_file_is_no_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(matches!(claim(&file), Err(DataError::Unusable { .. })));
    }
}
