//! Which files a path stands for, and which defaults a config text gets.
use super::*;
use tempfile::TempDir;

fn directory(files: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for file in files {
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(directory.path())).expect("a directory can be made");
        fs::write(&path, format!("# {file}\n")).expect("a file can be written");
    }
    directory
}

/// File names that `path`, relative to the directory, leads to.
fn found(directory: &TempDir, path: &str) -> Vec<String> {
    let given = directory.path().join(path).display().to_string();
    let base = absolute(&directory.path().display().to_string());
    from_path(&given)
        .map(|found| {
            found.sources.into_iter().map(|source| source.name.replacen(&format!("{base}/"), "", 1)).collect()
        })
        .unwrap_or_default()
}

fn names(text: &str) -> Vec<String> {
    from_text(text, "main").sources.into_iter().map(|source| source.name).collect()
}

#[test]
fn a_directory_gives_every_visible_file_in_order() {
    let directory =
        directory(&["20.conf", "10.txt", ".hidden", "30.conf~", "sub/40.conf", "B.conf", "a.conf"]);
    assert_eq!(found(&directory, ""), ["10.txt", "20.conf", "B.conf", "a.conf"]);
    let all = from_path(&directory.path().display().to_string()).expect("the directory holds configs");
    assert_eq!(all.warnings.len(), 1, "{:?}", all.warnings);
    assert_eq!(all.sources.first().map(|source| source.text.as_str()), Some("# 10.txt\n"));
}

#[test]
fn globs_and_braces_choose_files() {
    let directory = directory(&["in.conf", "out.conf", "in.txt", "x/deep.conf", "x/y/deeper.conf"]);
    assert_eq!(found(&directory, "*.conf"), ["in.conf", "out.conf"]);
    assert_eq!(found(&directory, "{out,in}.{conf,txt}"), ["in.conf", "in.txt", "out.conf"]);
    assert_eq!(found(&directory, "[^i]*.conf"), ["out.conf"]);
    assert_eq!(found(&directory, "?n.conf"), ["in.conf"]);
    assert_eq!(found(&directory, "**/*.conf"), ["in.conf", "out.conf", "x/deep.conf", "x/y/deeper.conf"]);
    assert_eq!(found(&directory, "x/../in.conf"), ["in.conf"]);
}

#[test]
fn a_name_with_brackets_is_a_file_first() {
    let directory = directory(&["a[1].conf", "a1.conf"]);
    assert_eq!(found(&directory, "a[1].conf"), ["a[1].conf"]);
    assert_eq!(found(&directory, "a[12].conf"), ["a1.conf"]);
}

#[test]
fn a_file_address_is_a_path() {
    let directory = directory(&["a.conf"]);
    let path = directory.path().join("a.conf").display().to_string();
    assert_eq!(from_path(&format!("FILE://{path}")).expect("the file exists").sources.len(), 1);
    let remote = from_path("http://localhost/a.conf").expect_err("nothing is fetched");
    assert!(matches!(remote, ConfigSourceError::Remote(_)));
    assert!(matches!(from_path("s3://bucket/a.conf"), Err(ConfigSourceError::Scheme(_))));
}

#[test]
fn nothing_found_and_other_encodings_are_errors() {
    let directory = directory(&["only.conf~"]);
    let path = |name: &str| directory.path().join(name).display().to_string();
    assert!(matches!(from_path(&path("missing.conf")), Err(ConfigSourceError::NothingFound(_))));
    assert!(matches!(from_path(&path("")), Err(ConfigSourceError::NothingFound(_))));
    fs::write(path("latin1.conf"), b"# caf\xe9\n").expect("a file can be written");
    assert!(matches!(from_path(&path("")), Err(ConfigSourceError::NotUtf8(files)) if files.len() == 1));
}

#[test]
fn a_text_gets_the_sections_it_lacks() {
    assert_eq!(names(""), ["default input", "default output", "config_string"]);
    assert_eq!(names("filter { mutate {} }"), ["default input", "default output", "config_string"]);
    assert_eq!(names("input\n{ stdin {} }"), ["default output", "config_string"]);
    assert_eq!(names("output{ stdout {} }"), ["default input", "config_string"]);
    assert_eq!(names("input { stdin {} } output { null {} }"), ["config_string"]);
    assert_eq!(names("# my input {\n"), ["default output", "config_string"]);
}

#[test]
fn braces_expand_from_left_to_right() {
    assert_eq!(expand_braces("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
    assert_eq!(expand_braces("{a,b}{1,2}"), ["a1", "a2", "b1", "b2"]);
    assert_eq!(expand_braces("a{b"), ["a{b"]);
    assert_eq!(expand_braces("a{}b"), ["ab"]);
}
