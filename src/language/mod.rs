//! The config language: text to a tree with places, and diagnostics that point into the text.
pub mod ast;
pub mod source;
