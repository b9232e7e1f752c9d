//! Tables to copy into (`db_object.rb`).

use super::hash;
use crate::plugin::{ConfigKind, ConfigValue, Pairs};

/// A table, its columns with their types, and the columns of its index.
#[derive(Debug)]
pub(super) struct DbObject {
    pub name: String,
    columns: Vec<(String, String)>,
    index_columns: Vec<String>,
    preserve_existing: bool,
}

impl DbObject {
    pub fn read(pairs: &Pairs) -> Result<Self, String> {
        hash::only(pairs, &["name", "columns", "index_columns", "preserve_existing", "type"])?;
        let name = hash::required(pairs, "name")?;
        let columns = hash::get(pairs, "columns").map(|value| &value.kind);
        let Some(ConfigKind::Array(given)) = columns else {
            return Err("\"columns\" must be an array".into());
        };
        let columns: Vec<_> = given
            .iter()
            .map(column)
            .collect::<Option<_>>()
            .ok_or("\"columns\" must be arrays of two strings, a name and a type such as varchar(15)")?;
        let index_columns = hash::texts(pairs, "index_columns")?.unwrap_or_default();
        if let Some(index) =
            index_columns.iter().find(|index| !columns.iter().any(|(name, _)| name == *index))
        {
            return Err(format!("\"{index}\" of \"index_columns\" is none of the columns"));
        }
        let preserve_existing = hash::get(pairs, "preserve_existing")
            .and_then(ConfigValue::scalar_text)
            .is_some_and(|text| text == "true");
        Ok(DbObject { name, columns, index_columns, preserve_existing })
    }

    /// The statements that make the table.
    pub fn sql(&self) -> String {
        let table = quoted(&self.name);
        let columns: Vec<_> =
            self.columns.iter().map(|(name, data_type)| format!("{} {data_type}", quoted(name))).collect();
        let unless = if self.preserve_existing { "IF NOT EXISTS " } else { "" };
        let mut sql = format!("CREATE TABLE {unless}{table} ({});", columns.join(", "));
        if !self.index_columns.is_empty() {
            let index: Vec<_> = self.index_columns.iter().map(|name| quoted(name)).collect();
            let name = quoted(&format!("{}_index", self.name));
            sql.push_str(&format!("CREATE INDEX {unless}{name} ON {table} ({});", index.join(", ")));
        }
        sql
    }
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn column(value: &ConfigValue) -> Option<(String, String)> {
    let ConfigKind::Array(pair) = &value.kind else { return None };
    let [name, data_type] = pair.as_slice() else { return None };
    let data_type = data_type.scalar_text()?;
    let is_type = |c: char| c.is_ascii_alphanumeric() || "_ (),".contains(c);
    data_type.chars().all(is_type).then_some(())?;
    Some((name.scalar_text()?, data_type))
}
