//! The csv output, read back by a real reader of CSV: PostgreSQL's COPY.

use crate::kafka::program::Rstash;
use crate::sql::Server;

#[test]
fn what_is_written_postgresql_copies() {
    let Some(server) = Server::postgres() else { return };
    let table =
        server.table("id bigint, plain text, hard text, nothing text, empty text, doc jsonb, formula text");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.csv");
    let document = r#"{"plain":"ü","hard":"a, \"b\"\nc;\r","empty":"","doc":{"k":["v",1]},"formula":"=1+1"}"#;
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 1000 message => '{document}' codec => json }} }}
           output {{ csv {{ path => "{}" fields => ["[event][sequence]", "plain", "hard", "nothing", "empty", "doc", "formula"]
                     csv_options => {{ "col_sep" => ";" }} }} }}"#,
        path.display()
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let copy = format!("\\copy {table} from '{}' with (format csv, delimiter ';')", path.display());
    assert_eq!(server.run(&copy), "COPY 1000");
    let count = format!(
        "SELECT count(DISTINCT id), min(id), max(id) FROM {table} WHERE plain = 'ü' AND hard = E'a, \"b\"\\nc;\\r'
         AND nothing IS NULL AND empty = '' AND doc = '{{\"k\":[\"v\",1]}}' AND formula = '''=1+1'"
    );
    assert_eq!(server.run(&count), "1000|0|999");
}
