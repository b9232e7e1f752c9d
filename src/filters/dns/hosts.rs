//! Files in the format of `/etc/hosts`, as Ruby's `Resolv::Hosts` reads them.

use std::collections::HashMap;

/// Names and addresses of one file, as they are written there.
#[derive(Debug, Default)]
pub struct Hosts {
    /// Of a name that stands on several lines the last address counts.
    addresses: HashMap<String, String>,
    /// Of an address that stands on several lines the first name counts.
    names: HashMap<String, String>,
}

impl Hosts {
    pub fn parse(text: &str) -> Self {
        let mut hosts = Hosts::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let Some(address) = words.next() else { continue };
            for name in words {
                hosts.names.entry(address.to_owned()).or_insert_with(|| name.to_owned());
                hosts.addresses.insert(name.to_owned(), address.to_owned());
            }
        }
        hosts
    }

    pub fn address(&self, name: &str) -> Option<&str> {
        self.addresses.get(name).map(String::as_str)
    }

    pub fn name(&self, address: &str) -> Option<&str> {
        self.names.get(address).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_and_the_first_name_count() {
        let hosts = Hosts::parse(
            "# comment\n10.0.0.1\tdb db.local # trailing\n\n10.0.0.2 db\n10.0.0.1 late\n10.0.0.3\n",
        );
        assert_eq!(hosts.address("db"), Some("10.0.0.2"));
        assert_eq!(hosts.address("db.local"), Some("10.0.0.1"));
        assert_eq!(hosts.name("10.0.0.1"), Some("db"));
        assert_eq!(hosts.name("10.0.0.3"), None);
        assert_eq!(hosts.address("trailing"), None);
    }
}
