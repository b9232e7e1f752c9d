fn main() {
    let files: Vec<_> = std::env::args_os().skip(2).map(Into::into).collect();
    let passed = rstash::testing::run_files(&files, rstash::testing::Format::Human, &mut std::io::stdout());
    std::process::exit(if matches!(passed, Ok(true)) { 0 } else { 1 });
}
