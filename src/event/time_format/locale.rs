//! Names of months, week days, halves of the day and eras by language, as the JDK's `DateFormatSymbols` has them.
use std::collections::HashMap;
use std::sync::LazyLock;

/// One line for each set of names, see its head.
const TABLE: &str = include_str!("locales.txt");

/// The names of one language or one of its regions.
#[derive(Debug)]
pub struct Locale {
    pub(crate) language: &'static str,
    pub(crate) months: Names,
    pub(crate) weekdays: Names,
    /// Before and after noon.
    pub(crate) halfdays: Names,
    /// Before and after the year 1.
    pub(crate) eras: Names,
}

/// Names in calendar order; both lists have the same length.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) long: Vec<&'static str>,
    pub(crate) short: Vec<&'static str>,
}

static LOCALES: LazyLock<HashMap<&'static str, Locale>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .flat_map(|line| {
            let (tags, _) = line.split_once(';').unwrap_or_default();
            tags.split(',').map(move |tag| (tag, Locale::read(tag, line)))
        })
        .collect()
});

impl Locale {
    /// The names for a BCP 47 tag such as `de-AT` (`de_AT` is taken too): those of its region, else those of its
    /// language, else the English ones, which the JDK also has for languages it does not know.
    pub fn for_tag(tag: &str) -> &'static Locale {
        let mut subtags = tag.split(['-', '_']);
        let language = subtags.next().unwrap_or_default().to_ascii_lowercase();
        let region =
            subtags.find(|subtag| subtag.len() == 2 || subtag.bytes().all(|byte| byte.is_ascii_digit()));
        let regional = region.map(|region| format!("{language}-{}", region.to_ascii_uppercase()));
        regional
            .and_then(|tag| LOCALES.get(tag.as_str()))
            .or_else(|| LOCALES.get(language.as_str()))
            .unwrap_or_else(|| Locale::english())
    }

    /// The names of American English.
    pub fn english() -> &'static Locale {
        static ENGLISH: LazyLock<&'static Locale> = LazyLock::new(|| {
            static EMPTY: LazyLock<Locale> = LazyLock::new(|| Locale::read("en", ""));
            LOCALES.get("en").unwrap_or(&EMPTY)
        });
        *ENGLISH
    }

    fn read(tag: &'static str, line: &'static str) -> Locale {
        let mut columns = line.split(';').skip(1).map(|column| column.split('|').collect::<Vec<_>>());
        let mut next = || columns.next().unwrap_or_default();
        let (months, short_months, weekdays, short_weekdays) = (next(), next(), next(), next());
        let (halfdays, eras) = (next(), next());
        Locale {
            language: tag.split('-').next().unwrap_or(tag),
            months: Names { long: months, short: short_months },
            weekdays: Names { long: weekdays, short: short_weekdays },
            halfdays: Names { short: halfdays.clone(), long: halfdays },
            eras: Names { short: eras.clone(), long: eras },
        }
    }

    /// Upper case as the language has it: Turkic ones have a dotted and a dotless i.
    pub(crate) fn upper(&self, text: &str) -> String {
        if self.is_turkic() { text.replace('i', "İ").to_uppercase() } else { text.to_uppercase() }
    }

    /// Lower case as the language has it.
    pub(crate) fn lower(&self, text: &str) -> String {
        if self.is_turkic() {
            text.replace('İ', "i").replace('I', "ı").to_lowercase()
        } else {
            text.to_lowercase()
        }
    }

    fn is_turkic(&self) -> bool {
        matches!(self.language, "tr" | "az")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_whole() {
        for (tag, locale) in LOCALES.iter() {
            let lengths = [&locale.months, &locale.weekdays, &locale.halfdays, &locale.eras]
                .map(|names| (names.long.len(), names.short.len()));
            assert_eq!(lengths, [(12, 12), (7, 7), (2, 2), (2, 2)], "{tag}");
            let all = [&locale.months, &locale.weekdays, &locale.halfdays, &locale.eras];
            let mut names = all.iter().flat_map(|names| names.long.iter().chain(&names.short));
            assert!(names.all(|name| !name.is_empty()), "{tag}");
        }
    }

    #[test]
    fn a_region_comes_before_its_language_and_english_last() {
        assert_eq!(Locale::for_tag("de-AT").months.long[0], "Jänner");
        assert_eq!(Locale::for_tag("de_LU").months.long[0], "Januar");
        assert_eq!(Locale::for_tag("es-419").halfdays.long[0], "a.\u{a0}m.");
        assert_eq!(Locale::for_tag("EN-gb").months.short[8], "Sept");
        assert_eq!(Locale::for_tag("xx").months.short[8], "Sep");
        assert_eq!(Locale::for_tag("").language, "en");
    }

    #[test]
    fn turkish_has_two_letters_i() {
        let turkish = Locale::for_tag("tr-TR");
        assert_eq!(turkish.upper("Haziran"), "HAZİRAN");
        assert_eq!(turkish.lower("KASIM"), "kasım");
        assert_eq!(Locale::english().upper("april"), "APRIL");
    }
}
