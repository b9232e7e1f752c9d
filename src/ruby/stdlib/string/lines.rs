//! `String`: lines.

use super::super::MethodDef;
use super::{like, own};
use crate::ruby::args::{Args, between};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("lines", between(0, 2), |interp, this, args| Ok(Value::array(lines(interp, this, args)?))),
    MethodDef("each_line", between(0, 2), |interp, this, args| {
        let block = super::super::enumerable::block_or_enumerator!(interp, this, "each_line", args);
        for line in lines(interp, this, args)? {
            interp.yield_one(block, line)?;
        }
        Ok(this.clone())
    }),
];

fn lines(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<Vec<Value>> {
    let chomp = args.keyword("chomp").is_some_and(|chomp| chomp.truthy());
    let (args, _) = args.split_keywords();
    let string = own(interp, this)?;
    let separator = match args.get(0) {
        None => b"\n".to_vec(),
        Some(Value::Nil) => return Ok(vec![like(&string.borrow(), string.borrow().bytes())]),
        Some(_) => args.string(interp, 0)?.borrow().bytes().to_vec(),
    };
    let buffer = string.borrow();
    let mut rest = buffer.bytes();
    let (separator, paragraphs) =
        if separator.is_empty() { (b"\n\n".to_vec(), true) } else { (separator, false) };
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, &separator);
        let mut cut = end.map_or(rest.len(), |at| at + separator.len());
        while paragraphs && rest.get(cut) == Some(&b'\n') {
            cut += 1;
        }
        let (line, behind) = rest.split_at(cut);
        let shown = match end {
            Some(at) if chomp => {
                let line = line.get(..at).unwrap_or_default();
                if separator == b"\n" { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
            }
            _ => line,
        };
        found.push(like(&buffer, shown));
        rest = behind;
    }
    Ok(found)
}
