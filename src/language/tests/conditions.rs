//! How conditions group, and which of their parts count. The expectations follow `join_conditions` and the `expr`
//! methods of Logstash's `compiler/lscl.rb`.

use super::{condition, mistakes};
use crate::language::ast::*;

/// A condition as an s-expression.
fn shown(expression: &Expression) -> String {
    let list = |word: &str, parts: &[Expression]| {
        format!("({word} {})", parts.iter().map(shown).collect::<Vec<_>>().join(" "))
    };
    match &expression.kind {
        ExpressionKind::And(parts) => list("and", parts),
        ExpressionKind::Or(parts) => list("or", parts),
        ExpressionKind::Xor(a, b) => format!("(xor {} {})", shown(a), shown(b)),
        ExpressionKind::Nand(a, b) => format!("(nand {} {})", shown(a), shown(b)),
        ExpressionKind::Not(inner) => format!("(not {})", shown(inner)),
        ExpressionKind::Compare { left, operator, right } => {
            format!("({} {} {})", operator.symbol(), rvalue(left), rvalue(right))
        }
        ExpressionKind::Match { left, pattern, negated } => {
            format!("({} {} /{}/)", if *negated { "!~" } else { "=~" }, rvalue(left), pattern.text)
        }
        ExpressionKind::In { left, right, negated } => {
            format!("({} {} {})", if *negated { "not-in" } else { "in" }, rvalue(left), rvalue(right))
        }
        ExpressionKind::Truthy(value) => rvalue(value),
    }
}

fn rvalue(value: &Rvalue) -> String {
    match &value.kind {
        RvalueKind::Selector(text) => text.to_string(),
        RvalueKind::String(text) => format!("{text:?}"),
        RvalueKind::Number(number) => format!("{:?}", number.value),
        RvalueKind::Array(values) => format!("array of {}", values.len()),
        RvalueKind::Regex(text) => format!("/{text}/"),
    }
}

fn assert_groups(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(shown(&condition(text)), *expected, "{text}");
    }
}

#[test]
fn and_binds_closer_than_or() {
    assert_groups(&[
        ("[a] and [b] and [c]", "(and [a] [b] [c])"),
        ("[a] or [b] and [c]", "(or [a] (and [b] [c]))"),
        ("[a] and [b] or [c]", "(or (and [a] [b]) [c])"),
        ("[a] and [b] or [c] and [d] or [e]", "(or (and [a] [b]) (and [c] [d]) [e])"),
        ("([a] or [b]) and [c]", "(and (or [a] [b]) [c])"),
    ]);
}

#[test]
fn an_or_closes_only_the_last_and_before_it() {
    assert_groups(&[
        ("[a] and [b] and [c] or [d]", "(and [a] (or (and [b] [c]) [d]))"),
        ("[a] and [b] and [c] and [d] or [e]", "(and [a] [b] (or (and [c] [d]) [e]))"),
    ]);
}

#[test]
fn xor_and_nand_stand_alone() {
    assert_groups(&[
        ("[a] xor [b]", "(xor [a] [b])"),
        ("[a] nand [b]", "(nand [a] [b])"),
        ("([a] xor [b]) and [c]", "(and (xor [a] [b]) [c])"),
    ]);
    for mixed in ["[a] xor [b] xor [c]", "[a] and [b] nand [c]", "[a] or [b] or [c] xor [d]"] {
        let found = mistakes(&format!("filter {{ if {mixed} {{ }} }}"));
        assert!(
            found.iter().all(|it| it.contains("cannot be mixed")) && !found.is_empty(),
            "{mixed}: {found:?}"
        );
    }
}

#[test]
fn spaces_are_hardly_needed() {
    assert_groups(&[
        ("[a]in[b]", "(in [a] [b])"),
        ("[a]and[b]", "(and [a] [b])"),
        ("[a]=~/x\\/y/", "(=~ [a] /x\\/y/)"),
        ("!([a]==1)", "(not (== [a] Integer(1)))"),
        ("[a] not in [\"x\",\"y\"]", "(not-in [a] array of 2)"),
    ]);
}

#[test]
fn an_array_with_one_quoted_text_reads_as_a_field() {
    assert_groups(&[("[a] in [\"x\"]", "(in [a] [\"x\"])"), ("[5]", "[5]")]);
}

#[test]
fn of_an_array_beside_a_comparison_its_first_literal_counts() {
    assert_groups(&[
        ("[a] == [\"x\",\"y\"]", "(== [a] \"x\")"),
        ("[a] == [word, 2]", "(== [a] Integer(2))"),
        ("[\"x\", word] == [a]", "(== \"x\" [a])"),
    ]);
    for refused in ["[a] == []", "[a] == /x/", "[\"x\",\"y\"] == [a]", "5 =~ /x/"] {
        assert_eq!(mistakes(&format!("filter {{ if {refused} {{ }} }}")).len(), 1, "{refused}");
    }
}

#[test]
fn calls_are_looked_through() {
    assert_groups(&[
        ("foo([a], \"x\")", "[a]"),
        ("foo([a]) == 1", "(== [a] Integer(1))"),
        ("foo([a]) in [b]", "(in \"foo\" [a])"),
    ]);
    assert_eq!(mistakes("filter { if foo() { } }"), ["1:13: a condition cannot call a method"]);
}

#[test]
fn numbers_are_read_as_ruby_reads_them() {
    assert_groups(&[
        ("[a] == 010", "(== [a] Integer(8))"),
        ("[a] == -010", "(== [a] Integer(-8))"),
        ("[a] == 08.50", "(== [a] Float(8.5))"),
        ("[a] == -9223372036854775808", "(== [a] Integer(-9223372036854775808))"),
    ]);
    assert_eq!(
        mistakes("filter { if [a] == 9223372036854775808 { } }"),
        ["1:20: the number 9223372036854775808 does not fit into 64 bits"]
    );
}
