//! Numbers at the start of texts, as Ruby's `String#to_f` and `String#to_i` read them.

/// The number that a text begins with; 0 without one.
pub fn to_f(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = integer_end(bytes);
    if end > 0 && is_digit(end - 1) {
        if bytes.get(end) == Some(&b'.') && is_digit(end + 1) {
            end = digits_end(bytes, end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if is_digit(end + 1 + signed) {
                end = digits_end(bytes, end + 1 + signed);
            }
        }
    }
    text.get(..end).unwrap_or_default().replace('_', "").parse().unwrap_or(0.0)
}

/// The integer that a text begins with; 0 without one, and at most what 64 bits hold.
pub fn to_i(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.get(..integer_end(text.as_bytes())).unwrap_or_default().replace('_', "");
    match digits.parse::<i128>() {
        Ok(number) => number.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
        Err(_) => 0,
    }
}

/// Where a sign and digits end.
fn integer_end(bytes: &[u8]) -> usize {
    digits_end(bytes, usize::from(matches!(bytes.first(), Some(b'+' | b'-'))))
}

/// Where digits end; single underscores may stand between them.
fn digits_end(bytes: &[u8], from: usize) -> usize {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = from;
    while is_digit(end)
        || (end > from && bytes.get(end) == Some(&b'_') && is_digit(end - 1) && is_digit(end + 1))
    {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_the_start_counts() {
        for (text, number) in [
            ("1.5abc", 1.5),
            ("abc", 0.0),
            ("", 0.0),
            (" -2e3x", -2000.0),
            ("1_000.5", 1000.5),
            ("1.", 1.0),
            (".5", 0.0),
            ("1e", 1.0),
        ] {
            assert_eq!(to_f(text), number, "{text}");
        }
        for (text, number) in
            [("12x", 12), ("x", 0), ("-7", -7), ("1_0", 10), ("99999999999999999999", i64::MAX)]
        {
            assert_eq!(to_i(text), number, "{text}");
        }
    }
}
