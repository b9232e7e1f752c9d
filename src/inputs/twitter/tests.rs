//! How the options of the twitter input are read, and what is refused.

use std::path::PathBuf;
use std::sync::LazyLock;

use super::*;
use crate::language::source::Span;
use crate::plugin::{Block, Context, EcsMode, Environment, Registry, Severity};
