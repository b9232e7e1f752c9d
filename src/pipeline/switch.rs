//! `Switch`: finds the arms of a long `if`/`else if` that can match an event by a look at one field.
//!
//! Configs that handle hundreds of sources are chains of `if [type] == "a" { } else if [type] == "b" { }`. Tried one after
//! the other, an event costs as many conditions as there are arms; by a table of the texts they compare with, it costs one
//! look-up. The conditions themselves still decide, so nothing depends on the table but speed.

use std::collections::{BTreeMap, HashMap};

use super::condition::Condition;
use crate::event::{Event, FieldReference, Value};

/// From this many arms on a table is worth its look-up.
const LEAST_ARMS: usize = 4;
/// Entries of a table at most: an arm that may match any text stands in every entry.
const MOST_ENTRIES: usize = 100_000;

/// Which arms of a branch can match, by the text of a field.
#[derive(Debug)]
pub struct Switch {
    field: FieldReference,
    by_text: HashMap<Box<str>, Box<[u32]>>,
    /// The arms that do not depend on the field's text, for texts that no arm names.
    others: Box<[u32]>,
}

/// The arms to try, in order.
pub enum Candidates<'s> {
    All,
    These(&'s [u32]),
}

impl Switch {
    /// A table for the field that most arms compare; `None` where it would save nothing.
    pub fn of<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Option<Self> {
        let conditions: Vec<&Condition> = conditions.collect();
        if conditions.len() < LEAST_ARMS {
            return None;
        }
        let (field, count) = most_compared(&conditions)?;
        if count < LEAST_ARMS {
            return None;
        }
        let texts: Vec<Option<Vec<&str>>> =
            conditions.iter().map(|condition| condition.texts_of(field)).collect();
        let others: Box<[u32]> =
            (0..).zip(&texts).filter(|(_, texts)| texts.is_none()).map(|(arm, _)| arm).collect();
        let mut by_text: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for text in texts.iter().flatten().flatten() {
            by_text.entry((*text).into()).or_default();
        }
        if by_text.len().saturating_mul(others.len() + 1) > MOST_ENTRIES {
            return None;
        }
        for (arm, texts) in (0..).zip(&texts) {
            match texts {
                Some(texts) => {
                    for text in texts {
                        // A list may name a text twice.
                        if let Some(arms) = by_text.get_mut(*text).filter(|arms| arms.last() != Some(&arm)) {
                            arms.push(arm);
                        }
                    }
                }
                None => by_text.values_mut().for_each(|arms| arms.push(arm)),
            }
        }
        let by_text = by_text.into_iter().map(|(text, arms)| (text, arms.into())).collect();
        Some(Switch { field: field.clone(), by_text, others })
    }

    /// The arms that can match an event.
    pub fn candidates(&self, event: &Event) -> Candidates<'_> {
        match event.get(&self.field) {
            // A missing field equals no text and is in no list.
            None => Candidates::These(&self.others),
            Some(Value::Str(text)) => Candidates::These(self.by_text.get(&**text).unwrap_or(&self.others)),
            Some(_) => Candidates::All,
        }
    }
}

/// The field that the most conditions depend on, with how many they are.
fn most_compared<'c>(conditions: &[&'c Condition]) -> Option<(&'c FieldReference, usize)> {
    let mut counts: BTreeMap<String, (&FieldReference, usize)> = BTreeMap::new();
    for condition in conditions {
        if let Some(field) = condition.compared_field() {
            counts.entry(field.to_string()).or_insert((field, 0)).1 += 1;
        }
    }
    counts.into_values().max_by_key(|(_, count)| *count)
}

impl Condition {
    /// The field whose text decides first whether this can hold.
    fn compared_field(&self) -> Option<&FieldReference> {
        match self {
            Condition::Equals(field, Value::Str(_)) | Condition::InList(field, _) => Some(field),
            Condition::And(parts) | Condition::Or(parts) => parts.first()?.compared_field(),
            _ => None,
        }
    }

    /// The texts of `field` with which this can hold: with another text, or without the field, it is false and no error.
    /// `None` where that cannot be told. Of an `and` the first part alone counts, for a later one is reached only
    /// through it, and a part before it might be an error.
    fn texts_of(&self, field: &FieldReference) -> Option<Vec<&str>> {
        match self {
            Condition::Equals(compared, Value::Str(text)) if compared == field => Some(vec![text]),
            Condition::InList(compared, list) if compared == field => Some(list.iter().collect()),
            Condition::And(parts) => parts.first()?.texts_of(field),
            Condition::Or(parts) => {
                let texts: Option<Vec<Vec<&str>>> = parts.iter().map(|part| part.texts_of(field)).collect();
                texts.map(|texts| texts.concat())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ast::CompareOperator;
    use crate::pipeline::condition::TextList;

    fn equals(name: &str, text: &str) -> Condition {
        Condition::Equals(FieldReference::top_level(name), text.into())
    }

    /// Conditions of the kinds that a table tells apart, and some that it cannot.
    fn conditions() -> Vec<Condition> {
        let kind = || FieldReference::top_level("kind");
        let list = |texts: &[&str]| TextList::new(texts.iter().map(|text| (*text).to_owned()).collect());
        let error =
            || Condition::Compare(FieldReference::top_level("n"), CompareOperator::Less, Value::Int(3));
        vec![
            equals("kind", "a"),
            Condition::And(vec![equals("kind", "b"), Condition::Truthy(FieldReference::top_level("x"))]),
            Condition::InList(kind(), list(&["c", "5", "c"])),
            Condition::Or(vec![equals("kind", "d"), equals("kind", "a")]),
            Condition::And(vec![Condition::Truthy(FieldReference::top_level("x")), equals("kind", "e")]),
            equals("other", "f"),
            Condition::Not(Box::new(equals("kind", "g"))),
            Condition::And(vec![equals("kind", "g"), error()]),
            Condition::And(vec![error(), equals("kind", "h")]),
            Condition::Constant(true),
        ]
    }

    /// What trying the arms one after the other comes to: the first that holds, or an error.
    fn first(
        conditions: &[Condition],
        event: &Event,
        arms: impl Iterator<Item = usize>,
    ) -> Result<Option<usize>, ()> {
        for arm in arms {
            match conditions.get(arm).map(|condition| condition.holds(event)) {
                Some(Ok(true)) => return Ok(Some(arm)),
                Some(Err(_)) => return Err(()),
                _ => {}
            }
        }
        Ok(None)
    }

    #[test]
    fn a_table_changes_nothing() {
        let conditions = conditions();
        // The last arms are left out one after the other, for they hold more and more events.
        for count in LEAST_ARMS..=conditions.len() {
            let conditions = &conditions[..count];
            let switch = Switch::of(conditions.iter()).expect("four arms compare the same field");
            for kind in [Some(Value::from("a")), None, Some(Value::Int(5)), Some(Value::Null)]
                .into_iter()
                .chain(["b", "c", "5", "d", "e", "f", "g", "h", "z", ""].map(|text| Some(Value::from(text))))
            {
                for (x, n) in [(true, Value::Int(1)), (false, Value::Int(9)), (true, Value::from("text"))] {
                    let mut event = Event::new();
                    if let Some(kind) = &kind {
                        event.data_mut().insert("kind", kind.clone());
                    }
                    event.data_mut().insert("x", Value::Bool(x));
                    event.data_mut().insert("n", n.clone());
                    let all = first(conditions, &event, 0..count);
                    let some = match switch.candidates(&event) {
                        Candidates::All => all,
                        Candidates::These(arms) => {
                            first(conditions, &event, arms.iter().map(|arm| *arm as usize))
                        }
                    };
                    assert_eq!(some, all, "{count} arms, {kind:?} {x} {n:?}");
                }
            }
        }
    }

    #[test]
    fn an_arm_that_names_another_text_is_not_tried() {
        let conditions: Vec<Condition> = ["a", "b", "c", "d"].map(|text| equals("kind", text)).into();
        let switch = Switch::of(conditions.iter()).expect("a table");
        let mut event = Event::new();
        for (kind, arms) in [("c", &[2][..]), ("z", &[])] {
            event.data_mut().insert("kind", Value::from(kind));
            assert!(matches!(switch.candidates(&event), Candidates::These(these) if these == arms), "{kind}");
        }
        assert!(Switch::of(conditions[..3].iter()).is_none());
    }
}
