//! Signed and encrypted packets: HMAC-SHA-256, and AES-256 in output feedback mode (collectd's network plugin).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hmac::{Hmac, Mac};
use openssl::symm::{Cipher, decrypt};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::plugin::Password;

const SIGNATURE_SIZE: usize = 32;
const IV_SIZE: usize = 16;
const CHECKSUM_SIZE: usize = 20;

/// The users' passwords of a file that is read again when it has changed.
#[derive(Debug)]
pub struct Keys {
    file: PathBuf,
    read: Mutex<(Option<SystemTime>, HashMap<String, Password>)>,
}

impl Keys {
    /// Fails where the file cannot be read.
    pub fn load(file: PathBuf) -> Result<Self, String> {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let keys = Keys { read: Mutex::new((modified(&file), passwords(&text))), file };
        Ok(keys)
    }

    fn get(&self, user: &str) -> Option<Password> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = modified(&self.file);
        if now > read.0
            && let Ok(text) = std::fs::read_to_string(&self.file)
        {
            *read = (now, passwords(&text));
        }
        let password = read.1.get(user).cloned();
        if password.is_none() {
            tracing::warn!(user, authfile = %self.file.display(), "user is not in the authfile");
        }
        password
    }

    /// Whether a part with a signature and a user signs what follows it. Fails with the reason.
    pub fn verify(&self, part: &[u8], rest: &[u8]) -> Result<(), &'static str> {
        let (signature, user) = part
            .split_at_checked(SIGNATURE_SIZE)
            .filter(|(_, user)| !user.is_empty())
            .ok_or("a signature is too short")?;
        let password = std::str::from_utf8(user).ok().and_then(|name| self.get(name));
        let password = password.ok_or("a packet is signed by a user nobody knows")?;
        let mut hmac = Hmac::<Sha256>::new_from_slice(password.reveal().as_bytes())
            .map_err(|_| "a password is unusable")?;
        hmac.update(user);
        hmac.update(rest);
        hmac.verify_slice(signature).map_err(|_| "a signature is wrong")
    }

    /// What an encrypted part holds. Fails with the reason.
    pub fn decrypt(&self, part: &[u8]) -> Result<Vec<u8>, &'static str> {
        const SHORT: &str = "an encrypted part is too short";
        let (size, rest) = part.split_first_chunk::<2>().ok_or(SHORT)?;
        let (user, rest) = rest.split_at_checked(u16::from_be_bytes(*size).into()).ok_or(SHORT)?;
        let (iv, content) = rest.split_at_checked(IV_SIZE).ok_or(SHORT)?;
        let password = std::str::from_utf8(user).ok().and_then(|name| self.get(name));
        let password = password.ok_or("a packet is encrypted by a user nobody knows")?;
        let key = Sha256::digest(password.reveal().as_bytes());
        let plain = decrypt(Cipher::aes_256_ofb(), &key, Some(iv), content)
            .map_err(|_| "a packet cannot be decrypted")?;
        let (checksum, plain) = plain.split_at_checked(CHECKSUM_SIZE).ok_or(SHORT)?;
        match Sha1::digest(plain).as_slice() == checksum {
            true => Ok(plain.to_vec()),
            false => Err("an encrypted packet has a wrong checksum"),
        }
    }
}

fn modified(file: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// Lines of `user: password`.
fn passwords(text: &str) -> HashMap<String, Password> {
    let lines = text.lines().filter_map(|line| {
        let (user, password) = line.split_once(": ")?;
        let is_entry = !user.is_empty() && !user.contains(':') && !password.is_empty();
        is_entry.then(|| (user.to_owned(), Password::new(password)))
    });
    lines.collect()
}
