//! Databases in MaxMind's format, read into memory once however many filters use them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, Reader};

use super::field::{Field, Kind};
use super::record::{Record, Traits, java_address};
use crate::event::Value;

/// A database and what it is about.
#[derive(Debug)]
pub struct Database {
    reader: Reader<Vec<u8>>,
    pub kind: Kind,
}

/// A file that is no database the filter can use. The messages follow its path.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("it is no database in MaxMind's format (.mmdb), or is damaged: {0}")]
    Invalid(#[from] MaxMindDbError),
    #[error(
        "databases of the type \"{0}\" are not supported: it must be one of cities, countries, ASNs, ISPs, domains or \
         anonymous addresses, or an enterprise database"
    )]
    Unsupported(String),
}

/// The databases in use, by path and time of the last change.
type Opened = HashMap<(PathBuf, Option<SystemTime>), Weak<Database>>;

impl Database {
    /// Opens a file, or gives the database that another filter has opened from it.
    pub fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        static OPENED: LazyLock<Mutex<Opened>> = LazyLock::new(Mutex::default);
        let modified = std::fs::metadata(path)?.modified().ok();
        let key = (path.to_owned(), modified);
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = opened.get(&key).and_then(Weak::upgrade) {
            return Ok(database);
        }
        let database = Arc::new(Self::read(std::fs::read(path)?)?);
        opened.retain(|_, database| database.strong_count() > 0);
        opened.insert(key, Arc::downgrade(&database));
        Ok(database)
    }

    fn read(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let reader = Reader::from_source(bytes)?;
        let kind = Kind::of(&reader.metadata().database_type);
        let kind = kind.ok_or_else(|| OpenError::Unsupported(reader.metadata().database_type.clone()))?;
        Ok(Database { reader, kind })
    }

    /// What the database tells of an address, of the fields asked for. Nothing when the address is not in it, or no
    /// place is known for it in a database of cities.
    pub fn find(&self, address: IpAddr, fields: &[Field]) -> Result<Vec<(Field, Value)>, MaxMindDbError> {
        let found = self.reader.lookup(address)?;
        let record = match self.kind {
            Kind::City | Kind::Country | Kind::Enterprise => found.decode::<Record<'_>>()?,
            Kind::Domain | Kind::Asn | Kind::Isp | Kind::AnonymousIp => {
                found.decode::<Traits<'_>>()?.map(Record::from)
            }
        };
        let Some(record) = record.filter(|record| self.kind != Kind::City || record.has_location()) else {
            return Ok(Vec::new());
        };
        let network = || {
            let network = found.network().ok()?;
            Some(format!("{}/{}", java_address(network.ip()), network.prefix()))
        };
        let told = fields.iter().filter(|field| self.kind.fields().contains(field));
        Ok(told.filter_map(|field| Some((*field, record.value(*field, address, network)?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mmdb");
        assert!(matches!(Database::open(&path), Err(OpenError::Read(_))));
        std::fs::write(&path, "no database").unwrap();
        assert!(matches!(Database::open(&path), Err(OpenError::Invalid(_))));
        std::fs::write(&path, mmdb_writer::Writer::new("Weather").to_bytes().unwrap()).unwrap();
        let error = Database::open(&path).unwrap_err().to_string();
        assert!(error.contains("\"Weather\""), "{error}");
    }

    #[test]
    fn a_database_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mmdb");
        std::fs::write(&path, mmdb_writer::Writer::new("GeoLite2-ASN").to_bytes().unwrap()).unwrap();
        let first = Database::open(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &Database::open(&path).unwrap()));
    }
}
