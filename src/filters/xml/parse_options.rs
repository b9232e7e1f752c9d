//! The option `parse_options`: names of Nokogiri's parse options.

/// What of Nokogiri's options changes the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ParseOptions {
    /// Refuse a document that is not well-formed.
    pub strict: bool,
    /// Leave out text that is white space only.
    pub no_blanks: bool,
    /// Write CDATA sections as text.
    pub merge_cdata: bool,
}

/// Options that load or expand what lies outside the document, or validate it.
const UNAVAILABLE: [&str; 5] = ["NOENT", "DTDLOAD", "DTDATTR", "DTDVALID", "XINCLUDE"];

/// Options that change nothing here: limits, warnings, and how libxml2 keeps its tree.
const WITHOUT_EFFECT: [&str; 12] = [
    "NOERROR",
    "NOWARNING",
    "PEDANTIC",
    "SAX1",
    "NONET",
    "NODICT",
    "NSCLEAN",
    "NOXINCNODE",
    "COMPACT",
    "OLD10",
    "NOBASEFIX",
    "HUGE",
];

impl ParseOptions {
    /// Reads names separated by `,` or `|`. Without `recover` among them parsing is strict, as in Nokogiri.
    pub fn read(names: &str) -> Result<Self, String> {
        let mut options = ParseOptions { strict: true, ..ParseOptions::default() };
        for written in names.split([',', '|']) {
            let name = written.trim().replace('_', "").to_uppercase();
            match name.as_str() {
                "" | "STRICT" => {}
                "RECOVER" => options.strict = false,
                "NOBLANKS" => options.no_blanks = true,
                "NOCDATA" => options.merge_cdata = true,
                name if WITHOUT_EFFECT.contains(&name) => {}
                name if UNAVAILABLE.contains(&name) => {
                    return Err(format!(
                        "\"{}\" is not available: nothing but the document is read",
                        written.trim()
                    ));
                }
                _ => return Err(format!("unsupported parse option: \"{written}\"")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_nokogiri_takes_them() {
        let strict = ParseOptions { strict: true, ..ParseOptions::default() };
        assert_eq!(ParseOptions::read("strict"), Ok(strict));
        assert_eq!(ParseOptions::read("no_error,NOWARNING"), Ok(strict));
        let blanks = ParseOptions { no_blanks: true, ..ParseOptions::default() };
        assert_eq!(ParseOptions::read("recover | no_blanks"), Ok(blanks));
        for refused in ["strict,invalid0", "dtdload", "big_lines", "default_xml"] {
            assert!(ParseOptions::read(refused).is_err(), "{refused}");
        }
    }
}
