//! Ruby regular expressions: interim.
#[derive(Debug)]
pub struct Regex(::regex::Regex);
impl Regex {
    pub fn new(pattern: &str) -> Result<Self, String> {
        ::regex::Regex::new(pattern).map(Regex).map_err(|e| e.to_string())
    }
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
