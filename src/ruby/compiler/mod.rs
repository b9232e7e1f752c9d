//! From source text to the tree that is evaluated.

pub mod tree;
