//! Date patterns: interim.
use super::Timestamp;
#[derive(Debug, Clone)]
pub struct JodaFormat;
#[derive(Debug, Clone)]
pub struct JavaTimeFormat;
impl JodaFormat {
    pub fn compile(pattern: &str) -> Result<Self, String> {
        Err(format!("no format yet for {pattern}"))
    }
    pub fn format(&self, _: Timestamp, _: &mut String) {}
}
impl JavaTimeFormat {
    pub fn compile(pattern: &str) -> Result<Self, String> {
        Err(format!("no format yet for {pattern}"))
    }
    pub fn format(&self, _: Timestamp, _: &mut String) -> Result<(), String> {
        Ok(())
    }
}
