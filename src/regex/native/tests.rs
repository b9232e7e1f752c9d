//! The matcher finds what Oniguruma finds.
use super::super::ast::Pattern;
use super::super::backtracking::Backtracking;
use super::super::parser::{self, Options};
use super::{Elsewhere, Program, compile};

type Spans = Vec<Option<(usize, usize)>>;

fn parsed(pattern: &str) -> Pattern {
    parser::parse(pattern, Options { multiline: true, ..Options::default() })
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

fn native(pattern: &str) -> Program {
    compile(&parsed(pattern)).unwrap_or_else(|| panic!("{pattern} is not for this matcher"))
}

/// Searches with both and compares every group.
fn assert_same(pattern: &str, texts: &[&str]) {
    let native = native(pattern);
    let oniguruma = Backtracking::compile(&parsed(pattern)).unwrap_or_else(|error| panic!("{error}"));
    for text in texts {
        for start in (0..=text.len()).filter(|start| text.is_char_boundary(*start)) {
            let (mut ours, mut theirs) = (Spans::new(), Spans::new());
            let found = oniguruma.search(text, start, None, &mut theirs);
            match native.search(text, start, &mut ours) {
                Err(Elsewhere) => assert!(!text.is_ascii(), "{pattern} on {text:?}"),
                result => {
                    assert_eq!(result.ok(), found.ok(), "{pattern} on {text:?} from {start}");
                    assert_eq!(ours, theirs, "{pattern} on {text:?} from {start}");
                }
            }
        }
    }
}

/// Short texts of a few letters, every one of them up to a length.
fn words(letters: &str, length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let longer: Vec<String> = all
            .iter()
            .skip(from)
            .flat_map(|word| letters.chars().map(move |letter| format!("{word}{letter}")))
            .collect();
        from = all.len();
        all.extend(longer);
    }
    all
}

#[test]
fn every_short_text_matches_alike() {
    let texts = words("ab1\n", 5);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for pattern in [
        "a*b",
        "a+?b",
        "a{2}",
        "a{1,3}b",
        "a{1,2}?1",
        "(a|b)*1",
        "(a|ab)(1|b1)",
        "(?:a|ab)*?1",
        "(a)|b",
        "((a)|b)+",
        "(?>a+)ab",
        "(?>a|ab)1",
        "(?>(a|ab)1?)b",
        "a++b",
        "(?:ab)++a",
        "(?=a)(a|b)+",
        "(?!a)[ab]+",
        "(?<=a)b*",
        "(?<!a)b+",
        "(?<!ab)1",
        "(?<=[ab])1",
        "a(?!b)",
        "(?=(a+))a*b",
        "(?!(a)b)a",
        "(?<=a|b)1",
        "(?<=ab|b1)a",
        r"\ba+\b",
        r"\Ba",
        "^a",
        "^a*$",
        "a$",
        r"\Aa",
        r"1\Z",
        r"1\z",
        "^b|^1",
        r"(?:^|b)1",
        "a?b?1?",
        "(a?b?)1",
        "(?:a?b?)?1",
        "[^a]+",
        "[^a\n]+b",
        ".*1",
        ".*?1",
        "(.+)b",
        "(.*)(1)(.*)",
        "(?<x>a)|(?<x>b)",
        "(?i)A+B",
        "(?i:a)B?",
        r"\w+\s\w",
        r"\d|\D",
        r"[[:alpha:]]+",
        "[a-b&&[^a]]+",
        "(a(b)?)+",
        "(?:(a)|(b)|1)*\n",
        "(?:a|b(?>1?))+1",
        "",
        "a{0}b",
        "(a){0}b",
        "(?:a{1,2}){2}",
        "(?:ab?){1,2}b",
        "(a|b|1|\n){3}",
        "x|(?=1)",
        "(?:|a)b",
        "(a||b)1",
        r"b\n",
        "(?:ab|ac|a)1?",
        "(?:(?:ab){2}1|(?:ab){1}|(?:ab?)b)",
        "(?:a+b|a+1|a+)",
        "(?:a{1,2}b1|a{1,2}bb|a{1,2}b)",
        "(?:[ab]1|[ab]b|(?<x>a)|(?<x>b))",
    ] {
        assert_same(pattern, &texts);
    }
}

#[test]
fn characters_beyond_ascii_match_alike() {
    let texts = words("é한a", 4);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for pattern in [
        "é+a",
        "[^a]*a",
        "[é-한]+",
        ".{2}",
        ".{1,2}?a",
        "(?<=é)한",
        "(?<!한.)a",
        r"\W+",
        "(.*)é",
        "[aé]{2,3}",
        "한|é",
        r"\S+?a",
        "(?>[^a]+)a",
        "a?.",
        r"a\b",
    ] {
        assert_same(pattern, &texts);
    }
}

/// A random pattern over a small alphabet, with every construct the matcher knows.
fn random_pattern(random: &mut fastrand::Rng, depth: usize) -> String {
    const ATOMS: [&str; 18] = [
        "a", "b", "1", "ab", "b1", ".", r"\w", r"\d", r"\s", "[^a]", "[ab]", "[^1\n]", "^", "$", r"\b",
        r"\B", r"\A", r"\Z",
    ];
    const REPEATS: [&str; 12] =
        ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "++", "*+"];
    const GROUPS: [&str; 9] = ["(", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?:"];
    let mut pattern = String::new();
    for _ in 0..random.usize(1..4) {
        let piece = match random.usize(0..10) {
            0..5 => (*random.choice(&ATOMS).unwrap_or(&"a")).to_owned(),
            _ if depth == 0 => "a".to_owned(),
            5..7 => {
                let branches: Vec<String> =
                    (0..random.usize(2..4)).map(|_| random_pattern(random, depth - 1)).collect();
                format!("(?:{})", branches.join("|"))
            }
            _ => {
                let open = random.choice(&GROUPS).unwrap_or(&"(");
                format!("{open}{})", random_pattern(random, depth - 1))
            }
        };
        pattern.push_str(&piece);
        if random.usize(0..3) == 0 {
            pattern.push_str(random.choice(&REPEATS).unwrap_or(&"*"));
        }
    }
    pattern
}

#[test]
fn random_patterns_match_alike() {
    let mut random = fastrand::Rng::with_seed(7);
    let texts = words("ab1\n", 4);
    let mut known = 0;
    while known < 1500 {
        let pattern = random_pattern(&mut random, 3);
        let Ok(parsed) = parser::parse(&pattern, Options { multiline: true, ..Options::default() }) else {
            continue;
        };
        if compile(&parsed).is_none() {
            continue;
        }
        known += 1;
        let some: Vec<&str> = (0..12).filter_map(|_| random.choice(&texts)).map(String::as_str).collect();
        assert_same(&pattern, &some);
    }
}

#[test]
fn what_it_does_not_know_is_left_alone() {
    for pattern in [
        r"(a)\1",
        r"\p{L}",
        r"a\Kb",
        r"\X",
        r"\R",
        "(?~a)",
        r"\Ga",
        "(a*)*",
        "(?<=a|bc)d",
        "(?<=a+)b",
        "(?i)é",
        "(a)?(?(1)b)",
    ] {
        assert!(compile(&parsed(pattern)).is_none(), "{pattern}");
    }
}

#[test]
fn a_hard_search_is_left_to_another_engine() {
    let hopeless = native("(a|a)*b[01]");
    let text = format!("{}b", "a".repeat(64));
    assert_eq!(hopeless.search(&text, 0, &mut Spans::new()), Err(Elsewhere));
}
