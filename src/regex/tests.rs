//! What Ruby's documentation and recorded Logstash runs say about patterns, matches, replacements and splits.
use std::time::Duration;

use super::*;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

/// Every match as text, in the order `gsub` meets them.
fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    regex(pattern).find_iter(text).map(|found| found.as_str()).collect()
}

fn gsub(pattern: &str, text: &str, replacement: &str) -> String {
    let replaced = regex(pattern).replace_all(text, replacement).unwrap_or_else(|error| panic!("{error}"));
    replaced.unwrap_or_else(|| text.to_owned())
}

#[test]
fn anchors_are_line_anchors() {
    assert!(regex("^h.*o$").is_match("x\nhello\ny"));
    assert!(regex(r"\Aone$").is_match("one\ntwo"));
    assert!(!regex(r"\Aone$").is_match("zero\none"));
    assert_eq!(gsub("^", "a\nb", "> "), "> a\n> b");
    assert_eq!(gsub(r"\A", "a\nb", "> "), "> a\nb");
    assert_eq!(gsub("$", "a\nb\n", "<"), "a<\nb<\n<");
    assert_eq!(gsub("^", "a\n", ">"), ">a\n", "no line begins behind the last newline");
    assert_eq!(gsub(r"\Z", "a\n", "<"), "a<\n<");
}

#[test]
fn a_dot_leaves_out_newlines_unless_multiline() {
    assert!(!regex("^a.b$").is_match("a\nb"));
    assert!(regex("(?m:a.b)").is_match("a\nb"));
    assert!(Regex::builder("a.b").multiline(true).build().is_ok_and(|regex| regex.is_match("a\nb")));
}

#[test]
fn class_letters_are_ascii_and_posix_names_are_unicode() {
    assert!(!regex(r"^.\w$").is_match("한글"));
    assert!(regex(r"^.\w$").is_match("😀a"));
    assert!(regex("^[[:alpha:]]+[[:digit:]]$").is_match("가1"));
    assert_eq!(all(r"\h+", "xfFg9"), ["fF", "9"]);
    assert_eq!(all(r"[[:punct:]]+", "a$+<=>^`|~!b🇰"), ["$+<=>^`|~!"]);
    assert_eq!(all(r"(?u)\w+", "é_1 a"), ["é_1", "a"]);
}

#[test]
fn case_folding_knows_letters_that_become_two() {
    assert!(regex("(?i)straße").is_match("STRASSE"));
    assert!(regex("(?i)ss").is_match("ß"));
    assert!(!regex(r"(?i)\w").is_match("\u{212A}"), "the Kelvin sign is no ASCII letter");
    assert_eq!(all("a(?i)b|c", "aB aC C"), ["aB", "aC"], "(?i) takes the branches behind it along");
}

#[test]
fn constructs_beyond_regular_languages() {
    let lookaround = regex(r"^(\w)(?!\1).*(?<=z)$");
    assert!(lookaround.is_match("abz") && !lookaround.is_match("aaz") && !lookaround.is_match("ab"));
    assert!(regex("^(?>a+)b++$").is_match("aabb"));
    assert!(!regex("^(?>a+)ab$").is_match("aab"));
    assert_eq!(gsub(r"(?<=\d)(?=(?:\d{3})+$)", "1234567", ","), "1,234,567");
    assert_eq!(all(r"/\*(?~\*/)\*/", "/* a */ b */"), ["/* a */"]);
    assert_eq!(all(r"a\Kb", "ab b"), ["b"]);
    assert_eq!(all(r"\R", "a\r\nb\n"), ["\r\n", "\n"]);
    assert_eq!(all(r"^(\()?\w+(?(1)\))$", "(ab)"), ["(ab)"]);
    assert_eq!(all(r"\((?:[^()]|\g<0>)*\)", "x(a(b)c)"), ["(a(b)c)"]);
    assert_eq!(all(r"\p{Emoji_Presentation}", "hi 😀!"), ["😀"]);
    assert_eq!(all(r"[a-z&&[^aeiou]]+", "quote"), ["q", "t"]);
    assert_eq!(all(r"\G\d", "12a3"), ["1", "2"]);
}

#[test]
fn rubys_reading_of_intervals() {
    assert_eq!(all("a{,2}", "aaa"), ["aa", "a", ""]);
    assert_eq!(all("a{,}", "a{,}"), ["a{,}"]);
    assert_eq!(all("a{2}?", "aaa"), ["aa", "", ""], "a fixed count followed by a question mark is optional");
    assert_eq!(all("x{1,2}+a", "xxxa"), ["xxxa"], "a range followed by a plus is repeated");
}

#[test]
fn escapes_make_characters() {
    assert!(regex(r"\x41\u{1F600}?").is_match("A"));
    assert!(regex(r"\xED\x95\x9C").is_match("한"));
    assert!(regex(r"^\t\x09\011\cI\C-i$").is_match("\t\t\t\t\t"));
    assert!(regex(r"^[\b]\e\a$").is_match("\u{8}\u{1B}\u{7}"));
    assert!(regex(r"^\y\Q$").is_match("yQ"), "unknown escapes stand for their letter");
}

#[test]
fn names_may_repeat_and_stop_plain_groups_from_capturing() {
    let dated = regex(r"(?<d>\d)-(x)-(?<d>\d)");
    assert_eq!(dated.captures_len(), 3);
    assert_eq!(dated.names().collect::<Vec<_>>(), [("d", [1, 2].as_slice())]);
    let captures = dated.captures("1-x-2").expect("it matches");
    assert_eq!(captures.name("d").map(|found| found.as_str()), Some("2"));
    assert_eq!(captures.get(1).map(|found| (found.start(), found.end())), Some((0, 1)));
    let one_of = regex("(?<v>a)|(?<v>b)");
    let captures = one_of.captures("xa").expect("it matches");
    assert_eq!(captures.name("v").map(|found| found.as_str()), Some("a"), "the one that took part");
    assert!(regex(r"(?<a.b>x)\k<a.b>").is_match("xx"));
}

#[test]
fn replacements_refer_to_groups() {
    assert_eq!(gsub("(x)?b", "abc", r"<\1\2>"), "a<>c");
    assert_eq!(gsub("b", "abc", r"[\0\&\`\'\\]"), r"a[bbac\]c");
    assert_eq!(gsub("(?<n>b)", "abc", r"[\k<n>\1]"), "a[b]c", "numbers mean nothing beside names");
    assert_eq!(gsub("(a)|(b)", "ab", r"[\+]"), "[a][b]");
    assert_eq!(gsub("X", "aXb", r"\n\"), "a\\n\\b", "other backslashes stay");
    assert_eq!(gsub("[가-힣]+", "a한글b", r"<\0>"), "a<한글>b");
    let unknown = regex("b").replace_all("abc", r"\k<z>");
    assert_eq!(unknown, Err(ReplaceError::UndefinedGroup("z".to_owned())));
    assert_eq!(regex("x").replace_all("abc", "y"), Ok(None));
}

#[test]
fn empty_matches_advance_by_a_character() {
    assert_eq!(gsub("", "abc", "-"), "-a-b-c-");
    assert_eq!(gsub("x*", "axb", "-"), "-a--b-");
    assert_eq!(gsub("", "é", "-"), "-é-");
    assert_eq!(gsub("(?=b)", "ab", "-"), "a-b");
}

#[test]
fn splitting_as_string_split_does() {
    assert_eq!(regex(",").split("a,,b,,"), ["a", "", "b"]);
    assert_eq!(regex("").split("añb"), ["a", "ñ", "b"]);
    assert_eq!(regex(r"\s*").split("a b"), ["a", "b"]);
    assert_eq!(regex("(,)").split("a,b"), ["a", ",", "b"]);
    assert_eq!(regex(",").split(",a"), ["", "a"]);
    assert!(regex(",").split("").is_empty());
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (pattern, message, offset) in [
        ("a(b", "end pattern with unmatched parenthesis", 1),
        ("ab)", "unmatched close parenthesis", 2),
        ("x|*", "target of repeat operator is not specified", 2),
        ("é[z-a]", "empty range in char class", 5),
        ("[abc", "premature end of char-class", 0),
        ("[]", "empty char-class", 1),
        ("[[:foo:]]", "invalid POSIX bracket type", 2),
        (r"ab\", "too short escape sequence", 2),
        (r"\xE9", "invalid multibyte escape", 0),
        (r"\x", "invalid hex escape", 2),
        (r"(a)\2", "invalid backref number/name", 4),
        (r"\k<n>", "undefined name <n> reference", 0),
        (r"(?<n>a)\1", "numbered backref/call is not allowed. (use name)", 8),
        ("(?<1>a)", "invalid group name <1>", 2),
        ("(?z)", "undefined group option", 0),
        ("a{3,1}", "upper is smaller than lower in repeat range", 1),
        ("a{100001}", "too big number for repeat range", 1),
        (r"[\w-.]", "unmatched range specifier in char-class", 3),
    ] {
        let error = Regex::new(pattern).expect_err(pattern);
        assert_eq!((error.message(), error.offset()), (message, Some(offset)), "{pattern}");
    }
    let error = Regex::new("é)").expect_err("unmatched");
    assert_eq!(error.to_string(), "unmatched close parenthesis at character 2: /é)/");
    let error = Regex::new(r"\p{Nope}").expect_err("no such property");
    assert_eq!(error.message(), "invalid character property name {Nope}");
}

#[test]
fn monstrous_patterns_are_refused_or_run() {
    let error = Regex::new(&"(".repeat(10_000)).expect_err("too deep");
    assert_eq!(error.message(), "too deep nest of groups");
    let error = Regex::new(&format!("a{}", "*".repeat(100_000))).expect_err("too deep");
    assert_eq!(error.message(), "too many stacked repeat operators");
    assert!(Regex::new(&"[".repeat(10_000)).is_err());
    assert!(regex("(?:a{1000}){1000}").find("aaa").is_none());
    assert!(regex(&"ab|".repeat(20_000)).is_match("ab"));
    assert!(regex("((?:a[bc]){100000}|(?:a[bc]){100000}d)").find("abac").is_none());
}

#[test]
fn a_time_limit_interrupts_a_search() {
    let hopeless = Regex::builder(r"^(a|a)*\1$").timeout(Some(Duration::from_millis(20))).build();
    let hopeless = hopeless.expect("a valid pattern");
    assert_eq!(hopeless.try_is_match(&format!("{}b", "a".repeat(64))), Err(SearchError::Timeout));
    assert!(!hopeless.is_match(&format!("{}b", "a".repeat(64))), "given up means no match");
    assert_eq!(hopeless.try_is_match("aaa"), Ok(true));
}

#[test]
fn a_time_limit_changes_no_result() {
    let text = format!("{}é{}xy", "ab ".repeat(400), "한".repeat(100));
    for pattern in [r"(?<=한)x", r"(?=y)", r"\p{L}(?!.)", r"(a|ab)+(?=é)", r"(?<!\A)\Gq", r"\Gab(?= )"] {
        let plain = regex(pattern);
        let timed = Regex::builder(pattern).timeout(Some(Duration::from_secs(60))).build();
        let timed = timed.expect("a valid pattern");
        assert_eq!(timed.find(&text), plain.find(&text), "{pattern}");
        assert_eq!(timed.find_iter(&text).count(), plain.find_iter(&text).count(), "{pattern}");
    }
}

#[test]
fn plain_patterns_run_in_linear_time() {
    for pattern in [r#"^(\S+) \[([^\]]+)\] "(?:\w+) (.*?)" (\d{3})$"#, "foo|bar", r"[\d.]+", "(?<a>x)(?<a>y)"]
    {
        assert!(regex(pattern).is_linear(), "{pattern}");
    }
    for pattern in ["(?i)x", "^$", "[[:alpha:]]", "(a*)*", r"(a)\1"] {
        assert!(!regex(pattern).is_linear(), "{pattern}");
    }
}

#[test]
fn escaping_makes_a_literal() {
    let text = "a.b*c[d] #\t\n^$|\\{}()-+?";
    assert_eq!(regex(&Regex::escape(text)).find(text).map(|found| found.as_str()), Some(text));
}

#[test]
fn locations_are_reused_across_engines() {
    let word = regex(r"\b(\w)");
    let mut locations = word.locations();
    for (text, group) in [("a", (0, 1)), ("é b", (3, 4)), ("c", (0, 1))] {
        assert_eq!(word.try_locate(text, 0, &mut locations), Ok(true));
        assert_eq!(locations.get(1), Some(group), "{text}");
    }
}
