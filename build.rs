//! Finds the user agent patterns of uap-core, which the package `ua-parser` carries but does not export, and puts
//! them where `include_str!` reads them.
//!
//! RSTASH_UAP_REGEXES names another file to take instead. Nothing is downloaded.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package, and the file inside it.
const PACKAGE: &str = "ua-parser";
const FILE: &str = "uap-core/regexes.yaml";
/// The name of the copy in OUT_DIR.
const COPY: &str = "uap-core-regexes.yaml";
const OVERRIDE: &str = "RSTASH_UAP_REGEXES";
/// A pattern that takes the build number behind the version of macOS for the version. Logstash's plugin makes it lazy
/// as well.
const GREEDY_MAC: &str = r"'Mac OS X\s.{1,50}\s(\d+).(\d+).(\d+)'";
const LAZY_MAC: &str = r"'Mac OS X\s.{1,50}?\s(\d+).(\d+).(\d+)'";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    match find().and_then(|file| copy(&file)) {
        Ok(()) => {}
        Err(error) => println!("cargo::error={error}"),
    }
}

fn find() -> Result<PathBuf, String> {
    if let Some(file) = env::var_os(OVERRIDE) {
        return Ok(PathBuf::from(file));
    }
    let found = in_registry().or_else(in_metadata);
    found.ok_or_else(|| {
        format!(
            "the user agent patterns were not found: {FILE} of the package {PACKAGE}, which Cargo.lock names. \
             Run `cargo fetch`, or set {OVERRIDE} to a regexes.yaml of https://github.com/ua-parser/uap-core"
        )
    })
}

fn copy(file: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", file.display());
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: this is for cargo to run")?;
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = text.replace(GREEDY_MAC, LAZY_MAC);
    fs::write(Path::new(&out).join(COPY), text).map_err(|error| format!("{COPY}: {error}"))
}

/// Where cargo unpacks the packages of registries: `registry/src/REGISTRY/PACKAGE-VERSION`.
fn in_registry() -> Option<PathBuf> {
    let lock = fs::read_to_string("Cargo.lock").ok()?;
    let version = locked_version(&lock)?;
    let home =
        env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    let files =
        registries.flatten().map(|registry| registry.path().join(format!("{PACKAGE}-{version}/{FILE}")));
    files.into_iter().find(|file| file.is_file())
}

/// The `version` line behind the package's `name` line.
fn locked_version(lock: &str) -> Option<&str> {
    let (_, behind) = lock.split_once(&format!("name = \"{PACKAGE}\"\nversion = \""))?;
    Some(behind.split_once('"')?.0)
}

/// Asks cargo where the package is, which also finds it in vendored sources.
fn in_metadata() -> Option<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO")?);
    cargo.args(["metadata", "--format-version", "1", "--offline", "--locked"]);
    if let Ok(target) = env::var("TARGET") {
        cargo.args(["--filter-platform", &target]);
    }
    let output = cargo.output().ok()?;
    let metadata = String::from_utf8(output.stdout).ok()?;
    let manifests = metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let folders = manifests.filter_map(|manifest| {
        let manifest = PathBuf::from(manifest.replace("\\\\", "\\"));
        Some(manifest.parent()?.to_path_buf())
    });
    let is_package = |folder: &Path| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let behind = name.strip_prefix(PACKAGE);
        behind.is_some_and(|behind| {
            let version = behind.strip_prefix('-').unwrap_or(behind);
            behind.is_empty() || behind != version && version.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    folders.filter(|folder| is_package(folder)).map(|folder| folder.join(FILE)).find(|file| file.is_file())
}
