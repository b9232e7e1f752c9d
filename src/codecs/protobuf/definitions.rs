//! Loads definitions: Ruby files with what they require, and descriptor sets, into one pool.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::{ruby, ruby_text};

/// How deep files may require others.
const MAX_DEPTH: usize = 100;

/// What a Ruby file defines, and the files it requires.
pub struct Parsed {
    pub descriptor: Option<FileDescriptorProto>,
    pub requires: Vec<String>,
}

/// The pool of all types that the files and what they require define. Fails with the file to blame and the reason.
pub fn load(files: &[PathBuf], root: Option<&Path>) -> Result<DescriptorPool, String> {
    // It knows the types of Google's own files from the start.
    let mut loader = Loader { root, pool: DescriptorPool::global(), seen: HashSet::new(), files: Vec::new() };
    loader.files.extend(loader.pool.files().map(|file| file.name().to_owned()));
    for file in files {
        loader.load(&loader.place(file), 0)?;
    }
    Ok(loader.pool)
}

/// The name of a Ruby constant in the pool, where names have no colons.
pub fn path_name(name: &str) -> String {
    name.replace("::", "__")
}

struct Loader<'r> {
    root: Option<&'r Path>,
    pool: DescriptorPool,
    seen: HashSet<PathBuf>,
    /// The names of the files in the pool.
    files: Vec<String>,
}

impl Loader<'_> {
    fn place(&self, file: &Path) -> PathBuf {
        match self.root {
            Some(root) if file.is_relative() => root.join(file),
            _ => file.to_owned(),
        }
    }

    fn load(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        if !self.seen.insert(file.to_owned()) {
            return Ok(());
        }
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        if depth > MAX_DEPTH {
            return Err(fail(&"files require one another too deeply"));
        }
        let bytes = std::fs::read(file).map_err(|error| fail(&error))?;
        if file.extension().is_none_or(|extension| extension != "rb") {
            let set = FileDescriptorSet::decode(&bytes[..])
                .map_err(|error| fail(&format!("neither a Ruby file nor a descriptor set: {error}")))?;
            return self.add(set.file).map_err(|error| fail(&error));
        }
        let text = String::from_utf8_lossy(&bytes);
        let serialized = ruby_text::descriptor_data(&text).map_err(|error| fail(&error))?;
        let parsed = match serialized {
            Some(bytes) => {
                let descriptor = FileDescriptorProto::decode(&bytes[..])
                    .map_err(|error| fail(&format!("its descriptor cannot be read: {error}")))?;
                Parsed { descriptor: Some(descriptor), requires: ruby_text::requires(&text) }
            }
            None => ruby::parse(&text, &file.to_string_lossy()).map_err(|error| fail(&error))?,
        };
        for required in &parsed.requires {
            if let Some(path) = self.find(required, file) {
                self.load(&path, depth + 1)?;
            }
        }
        match parsed.descriptor {
            Some(mut descriptor) => {
                if descriptor.dependency.is_empty() {
                    // The language of Ruby's files does not say what comes from where.
                    descriptor.dependency = self.files.clone();
                }
                self.add(vec![descriptor]).map_err(|error| fail(&error))
            }
            None => Ok(()),
        }
    }

    /// A required file below the root, or beside the one that requires it. Google's own are known without their files.
    fn find(&self, required: &str, by: &Path) -> Option<PathBuf> {
        if required.starts_with("google/protobuf") || required == "protocol_buffers" {
            return None;
        }
        let name = if required.ends_with(".rb") { required.to_owned() } else { format!("{required}.rb") };
        let folders = [self.root, by.parent()];
        folders.into_iter().flatten().map(|folder| folder.join(&name)).find(|path| path.is_file())
    }

    fn add(&mut self, mut descriptors: Vec<FileDescriptorProto>) -> Result<(), String> {
        descriptors.retain(|file| !self.files.iter().any(|known| known == file.name()));
        self.files.extend(descriptors.iter().map(|file| file.name().to_owned()));
        self.pool.add_file_descriptor_protos(descriptors).map_err(|error| error.to_string())
    }
}
