//! Filter `cipher`: encrypts or decrypts a field with OpenSSL (logstash-filter-cipher, which runs on JRuby's OpenSSL).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::cipher::Cipher as Algorithm;
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;

use crate::event::{Event, FieldReference, SetError, Value};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Password, Problem, Spec,
    choices, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "cipher",
    summary: "Encrypts or decrypts a field.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[("iv", "a fixed initialization vector is not safe; use iv_random_length")],
    default_codec: None,
    example: Example {
        config: r#"filter {
  cipher { algorithm => "aes-128-cbc" mode => "encrypt" key => "1234567890123456" iv_random_length => 16 target => "secret" }
  cipher { algorithm => "aes-128-cbc" mode => "decrypt" key => "1234567890123456" iv_random_length => 16 source => "secret" remove_field => ["secret"] }
}"#,
        input: &[r#"{"message":"attack at dawn"}"#],
        output: &[r#"{"message":"attack at dawn"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Cipher::build(reader)?))),
};

choices! {
    pub enum Mode {
        Encrypt = "encrypt",
        Decrypt = "decrypt",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Field to encrypt or decrypt.
        source: FieldReference = "message",
        /// Field that gets the result.
        target: FieldReference = "message",
        /// The encrypted text is in base64. Otherwise each of its bytes is one character, U+0000 to U+00FF.
        base64: bool = true,
        /// The key; required.
        key: Option<Password>,
        /// Length in characters to which the key is cut or padded. It must give what the algorithm wants.
        key_size: usize = 16,
        /// What a key that is too short is padded with.
        key_pad: String = "\0",
        /// An algorithm that OpenSSL knows, such as `aes-256-cbc`.
        algorithm: String,
        /// Whether to encrypt or to decrypt.
        mode: Mode,
        /// `0` for texts that fill whole blocks and are not padded.
        cipher_padding: Option<String>,
        /// Bytes of a random initialization vector, which stands before the encrypted text.
        iv_random_length: usize,
        /// Has no effect: making a cipher anew for each event costs little here.
        max_cipher_reuse: i64 = 1,
    }
}

/// The filter, with its key made to fit.
struct Cipher {
    source: FieldReference,
    target: FieldReference,
    base64: bool,
    algorithm: Algorithm,
    key: Vec<u8>,
    mode: Mode,
    padding: bool,
    vector_length: usize,
}

/// An event that was not encrypted or decrypted. No message tells the text or the key.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a {0} cannot be encrypted or decrypted")]
    NoText(&'static str),
    #[error("the text is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("the text holds characters beyond U+00FF, which are no bytes")]
    NoBytes,
    #[error("the text is too short to hold an initialization vector and anything behind it")]
    TooShort,
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Cipher {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        if options.max_cipher_reuse > 1 {
            let message = "option \"max_cipher_reuse\" of the cipher filter has no effect: a cipher is made for each event";
            reader.report(Problem::warning(reader.span("max_cipher_reuse"), message).label("remove this"));
        }
        let Ok(algorithm) = Algorithm::fetch(None, &options.algorithm, None) else {
            let message = format!(
                "OpenSSL knows no \"{}\", or holds it for outdated; `openssl list -cipher-algorithms` tells what there is",
                options.algorithm
            );
            reader.error("algorithm", message);
            return None;
        };
        let key = fitted_key(&options, algorithm.key_length(), reader);
        if options.iv_random_length < algorithm.iv_length() {
            let wanted = algorithm.iv_length();
            reader.error("iv_random_length", format!("{} takes at least {wanted} bytes", options.algorithm));
            return None;
        }
        Some(Cipher {
            source: options.source,
            target: options.target,
            base64: options.base64,
            algorithm,
            key: key?,
            mode: options.mode,
            padding: options.cipher_padding.as_deref() != Some("0"),
            vector_length: options.iv_random_length,
        })
    }

    fn run(&self, event: &mut Event) -> Result<Outcome, Failure> {
        let text = match event.get(&self.source) {
            None | Some(Value::Null) => return Ok(Outcome::Unmatched),
            Some(Value::Str(text)) if text.is_empty() => return Ok(Outcome::Unmatched),
            Some(Value::Str(text)) => text,
            Some(other) => return Err(Failure::NoText(other.kind())),
        };
        let result = match self.mode {
            Mode::Encrypt => self.encrypt(text)?,
            Mode::Decrypt => self.decrypt(text)?,
        };
        event.assign(&self.target, result)?;
        Ok(Outcome::Matched)
    }

    fn encrypt(&self, text: &str) -> Result<String, Failure> {
        let mut bytes = vec![0; self.vector_length];
        openssl::rand::rand_bytes(&mut bytes)?;
        let encrypted = self.transform(&bytes, text.as_bytes())?;
        bytes.extend(encrypted);
        Ok(match self.base64 {
            true => STANDARD.encode(bytes),
            false => bytes.into_iter().map(char::from).collect(),
        })
    }

    fn decrypt(&self, text: &str) -> Result<String, Failure> {
        let bytes = match self.base64 {
            true => STANDARD.decode(text)?,
            false => {
                let bytes: Result<_, _> = text.chars().map(u8::try_from).collect();
                bytes.map_err(|_| Failure::NoBytes)?
            }
        };
        let (vector, encrypted) = bytes.split_at_checked(self.vector_length).ok_or(Failure::TooShort)?;
        if encrypted.is_empty() {
            return Err(Failure::TooShort);
        }
        let decrypted = self.transform(vector, encrypted)?;
        Ok(String::from_utf8(decrypted)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Runs the algorithm. Of a vector that is too long the beginning counts, as in JRuby's OpenSSL.
    fn transform(&self, vector: &[u8], data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let vector = vector.get(..self.algorithm.iv_length()).filter(|vector| !vector.is_empty());
        let mut context = CipherCtx::new()?;
        match self.mode {
            Mode::Encrypt => context.encrypt_init(Some(&self.algorithm), Some(&self.key), vector)?,
            Mode::Decrypt => context.decrypt_init(Some(&self.algorithm), Some(&self.key), vector)?,
        }
        context.set_padding(self.padding);
        let mut out = Vec::with_capacity(data.len() + self.algorithm.block_size());
        context.cipher_update_vec(data, &mut out)?;
        context.cipher_final_vec(&mut out)?;
        Ok(out)
    }
}

/// The key, cut or padded to `key_size` characters, and then to the bytes that the algorithm takes.
fn fitted_key(options: &Options, wanted: usize, reader: &mut OptionReader<'_>) -> Option<Vec<u8>> {
    let Some(key) = &options.key else {
        reader.error("key", "it is required");
        return None;
    };
    if options.key_pad.is_empty() {
        reader.error("key_pad", "expected at least one character to pad with");
        return None;
    }
    let padding = options.key_pad.chars().cycle();
    let fitted: String = key.reveal().chars().chain(padding).take(options.key_size).collect();
    let mut bytes = fitted.into_bytes();
    if bytes.len() < wanted {
        let message = format!(
            "a key of {} bytes is too short: {} takes {wanted}; give key_size => {wanted} and a key of that length",
            bytes.len(),
            options.algorithm
        );
        reader.error("key_size", message);
        return None;
    }
    bytes.truncate(wanted);
    Some(bytes)
}

impl Filter for Cipher {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        self.run(event).unwrap_or_else(|error| {
            tracing::error!(%error, mode = ?self.mode, "an error occurred in a cipher filter");
            event.tag(FAILURE_TAG);
            Outcome::Failed
        })
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        tracing::error!(%error, "could not apply the common options");
        event.tag(FAILURE_TAG);
    }
}

const FAILURE_TAG: &str = "_cipherfiltererror";

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(mode: Mode, base64: bool, padding: bool) -> Cipher {
        Cipher {
            source: FieldReference::top_level("message"),
            target: FieldReference::top_level("message"),
            base64,
            algorithm: Algorithm::fetch(None, "AES-128-CBC", None).unwrap(),
            key: b"\x06\xa9\x21\x40\x36\xb8\xa1\x5b\x51\x2e\x03\xd5\x34\x12\x00\x06".to_vec(),
            mode,
            padding,
            vector_length: 16,
        }
    }

    #[test]
    fn the_vector_stands_before_the_text() {
        // Case 1 of RFC 3602, section 4: initialization vector and ciphertext.
        let bytes = b"\x3d\xaf\xba\x42\x9d\x9e\xb4\x30\xb4\x22\xda\x80\x2c\x9f\xac\x41\
                      \xe3\x53\x77\x9c\x10\x79\xae\xb8\x27\x08\x94\x2d\xbe\x77\x18\x1a";
        let base64 = STANDARD.encode(bytes);
        assert_eq!(cipher(Mode::Decrypt, true, false).decrypt(&base64).unwrap(), "Single block msg");
        let text: String = bytes.iter().copied().map(char::from).collect();
        assert_eq!(cipher(Mode::Decrypt, false, false).decrypt(&text).unwrap(), "Single block msg");
    }

    #[test]
    fn what_is_encrypted_is_decrypted_again() {
        for (base64, padding, text) in
            [(true, true, "aé😀"), (false, true, "한글"), (true, false, "sixteen bytes ok")]
        {
            let encrypted = cipher(Mode::Encrypt, base64, padding).encrypt(text).unwrap();
            assert_ne!(encrypted, cipher(Mode::Encrypt, base64, padding).encrypt(text).unwrap());
            assert_eq!(cipher(Mode::Decrypt, base64, padding).decrypt(&encrypted).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_decrypted_is_tagged_and_kept() {
        let short = STANDARD.encode([0; 16]);
        let garbage = STANDARD.encode([7; 32]);
        for value in ["no base64!", short.as_str(), garbage.as_str()]
            .map(Value::from)
            .into_iter()
            .chain([Value::Int(5)])
        {
            let mut event = Event::new();
            event.data_mut().insert("message", value.clone());
            let outcome = cipher(Mode::Decrypt, true, true).filter(&mut event, &mut Emit::default());
            assert_eq!(outcome, Outcome::Failed, "{value:?}");
            assert_eq!(event.data().get("message"), Some(&value));
            assert_eq!(event.data().get("tags"), Some(&Value::Array(vec!["_cipherfiltererror".into()])));
        }
    }

    #[test]
    fn options_that_do_not_fit_are_named() {
        let common = r#"mode => "encrypt" iv_random_length => 16"#;
        for (options, culprits) in [
            (format!(r#"{common} algorithm => "rot13" key => "k""#), ["algorithm", "rot13"]),
            (format!(r#"{common} algorithm => "aes-256-cbc" key => "k""#), ["key_size", "32"]),
            (format!(r#"{common} algorithm => "aes-128-cbc""#), ["key", "required"]),
            (
                r#"mode => "encrypt" iv_random_length => 8 algorithm => "aes-128-cbc" key => "hunter2""#
                    .into(),
                ["iv_random_length", "16"],
            ),
            (
                format!(r#"{common} algorithm => "aes-128-cbc" key => "k" iv => "x""#),
                ["iv", "iv_random_length"],
            ),
        ] {
            let sources =
                crate::language::Sources::single("test", format!("filter {{ cipher {{ {options} }} }}"));
            let context = crate::plugin::testkit::context();
            let (plan, problems) = crate::pipeline::Plan::load(&sources, Default::default(), &context);
            let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
            let messages = messages.join("\n");
            assert!(
                plan.is_none() && culprits.iter().all(|culprit| messages.contains(culprit)),
                "{options}: {messages}"
            );
            assert!(!messages.contains("hunter2"));
        }
    }
}
