//! `Digest`, `OpenSSL` (digests, HMAC, ciphers), `Base64` and `SecureRandom`.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use openssl::hash::{MessageDigest, hash};
use openssl::symm::{Cipher, Crypter, Mode};

use super::string::decode_base64;
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Native, RObject, Value};

const fn algorithm(name: &'static str, superclass: &'static str) -> ClassDef {
    ClassDef { superclass: Some(superclass), ..ClassDef::class(name) }
}

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef::module("Digest"),
    ClassDef { methods: &[INSTANCE], singleton_methods: &[OF_CLASS], ..ClassDef::class("Digest::Base") },
    algorithm("Digest::MD5", "Digest::Base"),
    algorithm("Digest::SHA1", "Digest::Base"),
    algorithm("Digest::SHA256", "Digest::Base"),
    algorithm("Digest::SHA384", "Digest::Base"),
    algorithm("Digest::SHA512", "Digest::Base"),
    algorithm("Digest::RMD160", "Digest::Base"),
    algorithm("Digest::SHA2", "Digest::Base"),
    ClassDef::module("OpenSSL"),
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("OpenSSL::OpenSSLError") },
    ClassDef {
        superclass: Some("Digest::Base"),
        singleton_methods: &[BY_NAME],
        ..ClassDef::class("OpenSSL::Digest")
    },
    algorithm("OpenSSL::Digest::MD5", "OpenSSL::Digest"),
    algorithm("OpenSSL::Digest::SHA1", "OpenSSL::Digest"),
    algorithm("OpenSSL::Digest::SHA224", "OpenSSL::Digest"),
    algorithm("OpenSSL::Digest::SHA256", "OpenSSL::Digest"),
    algorithm("OpenSSL::Digest::SHA384", "OpenSSL::Digest"),
    algorithm("OpenSSL::Digest::SHA512", "OpenSSL::Digest"),
    ClassDef { singleton_methods: &[HMAC], ..ClassDef::class("OpenSSL::HMAC") },
    ClassDef { methods: &[CIPHER], singleton_methods: &[NEW_CIPHER], ..ClassDef::class("OpenSSL::Cipher") },
    ClassDef { superclass: Some("OpenSSL::OpenSSLError"), ..ClassDef::class("OpenSSL::Cipher::CipherError") },
    ClassDef { functions: &[BASE64], ..ClassDef::module("Base64") },
    ClassDef { functions: &[RANDOM], ..ClassDef::module("SecureRandom") },
];

/// A digest with what it was given so far.
struct State {
    algorithm: String,
    data: RefCell<Vec<u8>>,
}

impl Native for State {
    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        Some(Rc::new(State { algorithm: self.algorithm.clone(), data: self.data.clone() }))
    }
}

/// The algorithm that a class is for: the last part of its name.
fn algorithm_of(interp: &mut Interp, class: &Value, args: Args<'_>) -> Outcome<String> {
    let class = interp.to_class(class)?;
    let name = interp.class_name(&class);
    let name = name.rsplit("::").next().unwrap_or_default().to_owned();
    match name.as_str() {
        "SHA2" => Ok(format!("SHA{}", if args.is_empty() { 256 } else { args.int(interp, 0)? })),
        "Digest" => args.text(interp, 0),
        _ => Ok(name),
    }
}

fn message_digest(interp: &mut Interp, name: &str) -> Outcome<MessageDigest> {
    let plain = name.replace('-', "");
    let found = MessageDigest::from_name(&plain).or_else(|| MessageDigest::from_name(name));
    found.ok_or_else(|| interp.error("RuntimeError", format!("Unsupported digest algorithm ({name}).")))
}

fn digest(interp: &mut Interp, algorithm: &str, data: &[u8]) -> Outcome<Vec<u8>> {
    let kind = message_digest(interp, algorithm)?;
    match hash(kind, data) {
        Ok(digest) => Ok(digest.to_vec()),
        Err(error) => Err(interp.error("OpenSSL::OpenSSLError", error.to_string())),
    }
}

/// Bytes as two hexadecimal digits each.
pub(super) fn hex(bytes: &[u8]) -> Value {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    Value::str(out)
}

fn shown(bytes: Vec<u8>, form: &str) -> Value {
    match form {
        "hex" => hex(&bytes),
        "base64" => Value::str(STANDARD.encode(bytes)),
        _ => Value::bytes(bytes, Encoding::Binary),
    }
}

const OF_CLASS: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, this, args| {
        let name = algorithm_of(interp, this, args)?;
        let is_named =
            matches!(this, Value::Class(class) if class.name().as_deref() == Some("OpenSSL::Digest"));
        let data = match args.get(usize::from(is_named)) {
            Some(Value::Str(data)) => data.borrow().bytes().to_vec(),
            _ => Vec::new(),
        };
        message_digest(interp, &name)?;
        let class = interp.to_class(this)?;
        let state = State { algorithm: name, data: RefCell::new(data) };
        Ok(Value::Object(Rc::new(RObject::with_native(&class, state))))
    }),
    MethodDef("hexdigest", exactly(1), |interp, this, args| of_class(interp, this, args, "hex")),
    MethodDef("digest", exactly(1), |interp, this, args| of_class(interp, this, args, "")),
    MethodDef("base64digest", exactly(1), |interp, this, args| of_class(interp, this, args, "base64")),
    MethodDef("file", exactly(1), |interp, this, args| {
        let file = interp.class_named("File").map_or(Value::Nil, Value::Class);
        let text = interp.call(&file, "read", args.values)?;
        let digest = interp.call(this, "new", &[])?;
        interp.call(&digest, "update", &[text])
    }),
];

fn of_class(interp: &mut Interp, this: &Value, args: Args<'_>, form: &str) -> Outcome {
    let name = algorithm_of(interp, this, Args::default())?;
    let data = args.string(interp, 0)?;
    let digest = digest(interp, &name, data.borrow().bytes())?;
    Ok(shown(digest, form))
}

/// `OpenSSL::Digest.hexdigest("SHA256", data)`
const BY_NAME: &[MethodDef] = &[
    MethodDef("hexdigest", between(1, 2), |interp, this, args| by_name(interp, this, args, "hex")),
    MethodDef("digest", between(1, 2), |interp, this, args| by_name(interp, this, args, "")),
    MethodDef("base64digest", between(1, 2), |interp, this, args| by_name(interp, this, args, "base64")),
];

fn by_name(interp: &mut Interp, this: &Value, args: Args<'_>, form: &str) -> Outcome {
    if args.len() == 1 {
        return of_class(interp, this, args, form);
    }
    let name = args.text(interp, 0)?;
    let data = args.string(interp, 1)?;
    let digest = digest(interp, &name, data.borrow().bytes())?;
    Ok(shown(digest, form))
}

const INSTANCE: &[MethodDef] = &[
    MethodDef("update", exactly(1), update),
    MethodDef("<<", exactly(1), update),
    MethodDef("reset", exactly(0), |_, this, _| {
        if let Some(state) = this.as_native::<State>() {
            state.data.borrow_mut().clear();
        }
        Ok(this.clone())
    }),
    MethodDef("hexdigest", between(0, 1), |interp, this, args| finish(interp, this, args, "hex")),
    MethodDef("to_s", exactly(0), |interp, this, args| finish(interp, this, args, "hex")),
    MethodDef("digest", between(0, 1), |interp, this, args| finish(interp, this, args, "")),
    MethodDef("base64digest", between(0, 1), |interp, this, args| finish(interp, this, args, "base64")),
    MethodDef("name", exactly(0), |_, this, _| {
        Ok(this.as_native::<State>().map_or(Value::Nil, |state| Value::str(state.algorithm.as_str())))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let (a, b) = (interp.to_s(this)?, interp.to_s(args.at(0))?);
        Ok(Value::Bool(a == b))
    }),
];

fn update(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let data = args.string(interp, 0)?;
    if let Some(state) = this.as_native::<State>() {
        state.data.borrow_mut().extend_from_slice(data.borrow().bytes());
    }
    Ok(this.clone())
}

fn finish(interp: &mut Interp, this: &Value, args: Args<'_>, form: &str) -> Outcome {
    let Some(state) = this.as_native::<State>() else { return Ok(Value::Nil) };
    let data = match args.get(0) {
        Some(_) => args.string(interp, 0)?.borrow().bytes().to_vec(),
        None => state.data.borrow().clone(),
    };
    let digest = digest(interp, &state.algorithm, &data)?;
    Ok(shown(digest, form))
}

const HMAC: &[MethodDef] = &[
    MethodDef("hexdigest", exactly(3), |interp, _, args| hmac(interp, args, "hex")),
    MethodDef("digest", exactly(3), |interp, _, args| hmac(interp, args, "")),
    MethodDef("base64digest", exactly(3), |interp, _, args| hmac(interp, args, "base64")),
];

fn hmac(interp: &mut Interp, args: Args<'_>, form: &str) -> Outcome {
    let name = match args.at(0).as_native::<State>() {
        Some(state) => state.algorithm.clone(),
        None => args.text(interp, 0)?,
    };
    let kind = message_digest(interp, &name)?;
    let (key, data) = (args.string(interp, 1)?, args.string(interp, 2)?);
    let signed = openssl::pkey::PKey::hmac(key.borrow().bytes())
        .and_then(|key| openssl::sign::Signer::new(kind, &key)?.sign_oneshot_to_vec(data.borrow().bytes()));
    match signed {
        Ok(digest) => Ok(shown(digest, form)),
        Err(error) => Err(interp.error("OpenSSL::OpenSSLError", error.to_string())),
    }
}

/// A cipher being set up and fed.
struct CipherState {
    cipher: Cipher,
    mode: RefCell<Option<bool>>,
    key: RefCell<Vec<u8>>,
    iv: RefCell<Vec<u8>>,
    padding: std::cell::Cell<bool>,
    crypter: RefCell<Option<Crypter>>,
}

impl Native for CipherState {}

fn cipher_error(interp: &mut Interp, message: impl Into<String>) -> Control {
    interp.error("OpenSSL::Cipher::CipherError", message)
}

const NEW_CIPHER: &[MethodDef] = &[MethodDef("new", exactly(1), |interp, this, args| {
    let name = args.text(interp, 0)?;
    let cipher = match name.to_ascii_lowercase().as_str() {
        "aes-128-cbc" => Cipher::aes_128_cbc(),
        "aes-192-cbc" => Cipher::aes_192_cbc(),
        "aes-256-cbc" => Cipher::aes_256_cbc(),
        "aes-128-ecb" => Cipher::aes_128_ecb(),
        "aes-192-ecb" => Cipher::aes_192_ecb(),
        "aes-256-ecb" => Cipher::aes_256_ecb(),
        "aes-128-ctr" => Cipher::aes_128_ctr(),
        "aes-256-ctr" => Cipher::aes_256_ctr(),
        "des-ede3-cbc" | "des3" => Cipher::des_ede3_cbc(),
        _ => return Err(interp.error("RuntimeError", format!("unsupported cipher algorithm ({name})"))),
    };
    let class = interp.to_class(this)?;
    let state = CipherState {
        cipher,
        mode: RefCell::default(),
        key: RefCell::default(),
        iv: RefCell::default(),
        padding: std::cell::Cell::new(true),
        crypter: RefCell::default(),
    };
    Ok(Value::Object(Rc::new(RObject::with_native(&class, state))))
})];

fn cipher<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v CipherState> {
    match this.as_native() {
        Some(state) => Ok(state),
        None => Err(interp.type_error("not a cipher")),
    }
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    _ = openssl::rand::rand_bytes(&mut bytes);
    bytes
}

const CIPHER: &[MethodDef] = &[
    MethodDef("encrypt", exactly(0), |interp, this, _| {
        *cipher(interp, this)?.mode.borrow_mut() = Some(true);
        Ok(this.clone())
    }),
    MethodDef("decrypt", exactly(0), |interp, this, _| {
        *cipher(interp, this)?.mode.borrow_mut() = Some(false);
        Ok(this.clone())
    }),
    MethodDef("key=", exactly(1), |interp, this, args| {
        let key = args.string(interp, 0)?.borrow().bytes().to_vec();
        let state = cipher(interp, this)?;
        if key.len() != state.cipher.key_len() {
            let length = state.cipher.key_len();
            return Err(interp.argument_error(format!("key must be {length} bytes")));
        }
        *state.key.borrow_mut() = key;
        Ok(args.at(0).clone())
    }),
    MethodDef("iv=", exactly(1), |interp, this, args| {
        let iv = args.string(interp, 0)?.borrow().bytes().to_vec();
        let state = cipher(interp, this)?;
        let length = state.cipher.iv_len().unwrap_or(0);
        if iv.len() != length {
            return Err(interp.argument_error(format!("iv must be {length} bytes")));
        }
        *state.iv.borrow_mut() = iv;
        Ok(args.at(0).clone())
    }),
    MethodDef("padding=", exactly(1), |interp, this, args| {
        let padded = !matches!(args.at(0), Value::Int(0) | Value::Bool(false) | Value::Nil);
        cipher(interp, this)?.padding.set(padded);
        Ok(args.at(0).clone())
    }),
    MethodDef("random_key", exactly(0), |interp, this, _| {
        let state = cipher(interp, this)?;
        let key = random_bytes(state.cipher.key_len());
        *state.key.borrow_mut() = key.clone();
        Ok(Value::bytes(key, Encoding::Binary))
    }),
    MethodDef("random_iv", exactly(0), |interp, this, _| {
        let state = cipher(interp, this)?;
        let iv = random_bytes(state.cipher.iv_len().unwrap_or(0));
        *state.iv.borrow_mut() = iv.clone();
        Ok(Value::bytes(iv, Encoding::Binary))
    }),
    MethodDef("key_len", exactly(0), |interp, this, _| {
        Ok(Value::from(cipher(interp, this)?.cipher.key_len()))
    }),
    MethodDef("iv_len", exactly(0), |interp, this, _| {
        Ok(Value::from(cipher(interp, this)?.cipher.iv_len().unwrap_or(0)))
    }),
    MethodDef("update", exactly(1), |interp, this, args| {
        let data = args.string(interp, 0)?.borrow().bytes().to_vec();
        crypt(interp, this, Some(&data))
    }),
    MethodDef("final", exactly(0), |interp, this, _| crypt(interp, this, None)),
];

/// Feeds a cipher, or ends it.
fn crypt(interp: &mut Interp, this: &Value, data: Option<&[u8]>) -> Outcome {
    let state = cipher(interp, this)?;
    let mut crypter = state.crypter.borrow_mut();
    if crypter.is_none() {
        let mode = if state.mode.borrow().unwrap_or(true) { Mode::Encrypt } else { Mode::Decrypt };
        let mut iv = state.iv.borrow().clone();
        iv.resize(state.cipher.iv_len().unwrap_or(0), 0);
        let key = state.key.borrow();
        if key.len() != state.cipher.key_len() {
            return Err(cipher_error(interp, "no key set"));
        }
        match Crypter::new(state.cipher, mode, &key, Some(&iv).filter(|iv| !iv.is_empty()).map(Vec::as_slice))
        {
            Ok(mut made) => {
                made.pad(state.padding.get());
                *crypter = Some(made);
            }
            Err(error) => return Err(cipher_error(interp, error.to_string())),
        }
    }
    let mut out = vec![0; data.map_or(0, <[u8]>::len) + state.cipher.block_size()];
    let written = match (crypter.as_mut(), data) {
        (Some(crypter), Some(data)) => crypter.update(data, &mut out),
        (Some(crypter), None) => crypter.finalize(&mut out),
        (None, _) => Ok(0),
    };
    if data.is_none() {
        *crypter = None;
    }
    match written {
        Ok(count) => {
            out.truncate(count);
            Ok(Value::bytes(out, Encoding::Binary))
        }
        Err(_) => Err(cipher_error(interp, "bad decrypt")),
    }
}

const BASE64: &[MethodDef] = &[
    MethodDef("encode64", exactly(1), |interp, _, args| {
        let data = args.string(interp, 0)?;
        let mut out = String::new();
        for line in data.borrow().bytes().chunks(45) {
            STANDARD.encode_string(line, &mut out);
            out.push('\n');
        }
        Ok(Value::bytes(out, Encoding::UsAscii))
    }),
    MethodDef("strict_encode64", exactly(1), |interp, _, args| {
        let data = args.string(interp, 0)?;
        let encoded = STANDARD.encode(data.borrow().bytes());
        Ok(Value::bytes(encoded, Encoding::UsAscii))
    }),
    MethodDef("urlsafe_encode64", between(1, 2), |interp, _, args| {
        let data = args.string(interp, 0)?;
        let padded = args.keyword("padding").is_none_or(|padding| padding.truthy());
        let buffer = data.borrow();
        let encoded =
            if padded { URL_SAFE.encode(buffer.bytes()) } else { URL_SAFE_NO_PAD.encode(buffer.bytes()) };
        Ok(Value::bytes(encoded, Encoding::UsAscii))
    }),
    MethodDef("decode64", exactly(1), |interp, _, args| {
        let data = args.string(interp, 0)?;
        let decoded = decode_base64(data.borrow().bytes());
        Ok(Value::bytes(decoded, Encoding::Binary))
    }),
    MethodDef("strict_decode64", exactly(1), |interp, _, args| {
        let data = args.string(interp, 0)?;
        let decoded = STANDARD.decode(data.borrow().bytes());
        strict(interp, decoded)
    }),
    MethodDef("urlsafe_decode64", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        strict(interp, decoded)
    }),
];

fn strict(interp: &mut Interp, decoded: Result<Vec<u8>, base64::DecodeError>) -> Outcome {
    match decoded {
        Ok(bytes) => Ok(Value::bytes(bytes, Encoding::Binary)),
        Err(_) => Err(interp.argument_error("invalid base64")),
    }
}

/// How many bytes are asked for, 16 unless said otherwise.
fn how_many(interp: &mut Interp, args: Args<'_>) -> Outcome<usize> {
    let count = if args.at(0).is_nil() { 16 } else { args.int(interp, 0)? };
    let Ok(count) = usize::try_from(count) else {
        return Err(interp.argument_error("negative string size (or size too big)"));
    };
    interp.check_size(count)?;
    Ok(count)
}

const RANDOM: &[MethodDef] = &[
    MethodDef("hex", between(0, 1), |interp, _, args| Ok(hex(&random_bytes(how_many(interp, args)?)))),
    MethodDef("uuid", exactly(0), |_, _, _| Ok(Value::str(uuid::Uuid::new_v4().to_string()))),
    MethodDef("uuid_v7", between(0, 1), |_, _, _| Ok(Value::str(uuid::Uuid::now_v7().to_string()))),
    MethodDef("random_bytes", between(0, 1), |interp, _, args| {
        Ok(Value::bytes(random_bytes(how_many(interp, args)?), Encoding::Binary))
    }),
    MethodDef("bytes", exactly(1), |interp, _, args| {
        Ok(Value::bytes(random_bytes(how_many(interp, args)?), Encoding::Binary))
    }),
    MethodDef("base64", between(0, 1), |interp, _, args| {
        Ok(Value::str(STANDARD.encode(random_bytes(how_many(interp, args)?))))
    }),
    MethodDef("urlsafe_base64", between(0, 2), |interp, _, args| {
        Ok(Value::str(URL_SAFE_NO_PAD.encode(random_bytes(how_many(interp, args)?))))
    }),
    MethodDef("alphanumeric", between(0, 2), |interp, _, args| {
        let count = how_many(interp, args.split_keywords().0)?;
        Ok(Value::str((0..count).map(|_| fastrand::alphanumeric()).collect::<String>()))
    }),
    MethodDef("random_number", between(0, 1), super::kernel::rand),
    MethodDef("rand", between(0, 1), super::kernel::rand),
];
