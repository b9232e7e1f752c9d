//! The config language: text to a tree with places, and diagnostics that point into the text.
pub mod ast;
pub mod source;

pub fn merged_attributes(plugin: &ast::Plugin) -> Vec<ast::Attribute> {
    plugin.attributes.clone()
}

pub fn parse_value(text: &str) -> Result<ast::Value, String> {
    Err(format!("no parser yet for {text}"))
}
