//! What the date filter's formats read, as recorded from Logstash 9.5 and Joda-Time 2.
use super::*;

/// Format, zone, locale; then texts and what they mean, nothing where the format does not fit.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const RECORDED: &[Case] = &[
    (
        "ISO8601",
        "UTC",
        "en",
        &[
            ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000Z"),
            ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06T07:08:09+09:00", "2024-05-05T22:08:09.000Z"),
            ("2024-05-06T07:08:09-0330", "2024-05-06T10:38:09.000Z"),
            ("2024-05-06 07:08:09.123", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06 07:08:09,123", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06 07:08:09.123+0900", "2024-05-05T22:08:09.123Z"),
            ("2024-05-06 07:08:09,123+09:00", "2024-05-05T22:08:09.123Z"),
            ("2024-05-06T07:08:09,123Z", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06T07:08:09,1Z", "2024-05-06T07:08:09.100Z"),
            ("2024-05-06T24:00:00Z", ""),
            ("2024-05-06T23:59:60Z", ""),
            ("2024-02-30T00:00:00Z", ""),
        ],
    ),
    (
        "ISO8601",
        "Asia/Seoul",
        "en",
        &[
            ("2024-05-06T07:08:09", "2024-05-05T22:08:09.000Z"),
            ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000Z"),
            ("2024-05-06 07:08:09.123", "2024-05-05T22:08:09.123Z"),
        ],
    ),
    (
        "ISO8601",
        "America/New_York",
        "en",
        &[("2024-03-10T02:30:00", ""), ("2024-03-10T03:30:00", "2024-03-10T07:30:00.000Z")],
    ),
    (
        "UNIX",
        "UTC",
        "en",
        &[
            ("1714979289", "2024-05-06T07:08:09.000Z"),
            ("1714979289.5", "2024-05-06T07:08:09.500Z"),
            ("1714979289.123456", "2024-05-06T07:08:09.123Z"),
            ("0", "1970-01-01T00:00:00.000Z"),
            ("-1", "1969-12-31T23:59:59.000Z"),
            ("-1.5", "1969-12-31T23:59:59.500Z"),
            ("-1714979289.25", "1915-08-28T16:51:51.250Z"),
            ("2147483647", "2038-01-19T03:14:07.000Z"),
            ("2147483648", ""),
            ("4294967296.5", ""),
            ("-2147483649", "1901-12-13T20:45:51.000Z"),
            ("17e8", ""),
            ("1714979289.", ""),
            ("  1714979289", ""),
            ("abc", ""),
            (".5", ""),
            ("1.-5", "1970-01-01T00:00:00.950Z"),
            ("+5", "1970-01-01T00:00:05.000Z"),
            ("0x10", ""),
        ],
    ),
    (
        "UNIX_MS",
        "UTC",
        "en",
        &[
            ("1714979289123", "2024-05-06T07:08:09.123Z"),
            ("0", "1970-01-01T00:00:00.000Z"),
            ("-1", "1969-12-31T23:59:59.999Z"),
            ("1714979289123.7", ""),
            ("253402300800000", "+10000-01-01T00:00:00.000Z"),
            ("99999999999999999999", ""),
        ],
    ),
    (
        "TAI64N",
        "UTC",
        "en",
        &[
            ("@4000000050d506482dbdf024", "2012-12-22T01:00:46.767Z"),
            ("4000000050d506482dbdf024", "2012-12-22T01:00:46.767Z"),
            ("@40000000433225833b6e2644", "2005-09-22T03:31:05.997Z"),
        ],
    ),
    ("CCyy", "UTC", "en", &[("2024", "2024-01-01T00:00:00.000Z"), ("1999", "1999-01-01T00:00:00.000Z")]),
    (
        "YYYY-MM-dd",
        "UTC",
        "en",
        &[("2024-12-30", "2024-12-30T00:00:00.000Z"), ("0001-01-01", "0001-01-01T00:00:00.000Z")],
    ),
    (
        "dd MMM yyyy",
        "UTC",
        "en",
        &[
            ("06 May 2024", "2024-05-06T00:00:00.000Z"),
            ("06 may 2024", "2024-05-06T00:00:00.000Z"),
            ("06 MAY 2024", "2024-05-06T00:00:00.000Z"),
            ("06 September 2024", "2024-09-06T00:00:00.000Z"),
        ],
    ),
    (
        "dd MMMM yyyy",
        "UTC",
        "en",
        &[
            ("06 February 2024", "2024-02-06T00:00:00.000Z"),
            ("06 Feb 2024", "2024-02-06T00:00:00.000Z"),
            ("06 Febr 2024", ""),
        ],
    ),
    (
        "M/d/yyyy",
        "UTC",
        "en",
        &[
            ("5/6/2024", "2024-05-06T00:00:00.000Z"),
            ("05/06/2024", "2024-05-06T00:00:00.000Z"),
            ("13/1/2024", ""),
            ("0/1/2024", ""),
        ],
    ),
    (
        "yyyy-MM-dd hh:mm a",
        "UTC",
        "en",
        &[
            ("2024-05-06 12:30 AM", "2024-05-06T00:30:00.000Z"),
            ("2024-05-06 12:30 PM", "2024-05-06T12:30:00.000Z"),
            ("2024-05-06 07:30 pm", "2024-05-06T19:30:00.000Z"),
            ("2024-05-06 13:00 PM", ""),
        ],
    ),
    (
        "yyyy-MM-dd KK:mm a",
        "UTC",
        "en",
        &[
            ("2024-05-06 00:30 PM", "2024-05-06T12:30:00.000Z"),
            ("2024-05-06 11:30 AM", "2024-05-06T11:30:00.000Z"),
            ("2024-05-06 12:30 AM", ""),
        ],
    ),
    (
        "yyyy-MM-dd HH:mm:ss.S",
        "UTC",
        "en",
        &[
            ("2024-05-06 07:08:09.1", "2024-05-06T07:08:09.100Z"),
            ("2024-05-06 07:08:09.123", ""),
            ("2024-05-06 07:08:09.123456789", ""),
        ],
    ),
    (
        "yyyy-MM-dd HH:mm:ss.SSS",
        "UTC",
        "en",
        &[
            ("2024-05-06 07:08:09.1", "2024-05-06T07:08:09.100Z"),
            ("2024-05-06 07:08:09.12345", ""),
            ("2024-05-06 07:08:09.", ""),
        ],
    ),
    (
        "yyyy-MM-dd HH:mm Z",
        "UTC",
        "en",
        &[
            ("2024-05-06 07:08 +0900", "2024-05-05T22:08:00.000Z"),
            ("2024-05-06 07:08 -03:30", "2024-05-06T10:38:00.000Z"),
            ("2024-05-06 07:08 Z", "2024-05-06T07:08:00.000Z"),
            ("2024-05-06 07:08 +09", "2024-05-05T22:08:00.000Z"),
        ],
    ),
    (
        "yyyy-MM-dd HH:mm ZZ",
        "UTC",
        "en",
        &[
            ("2024-05-06 07:08 +09:00", "2024-05-05T22:08:00.000Z"),
            ("2024-05-06 07:08 +0900", "2024-05-05T22:08:00.000Z"),
        ],
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "Asia/Seoul",
        "en",
        &[
            ("2024-05-06T07:08:09Z", "2024-05-05T22:08:09.000Z"),
            ("2024-05-06t07:08:09z", "2024-05-05T22:08:09.000Z"),
        ],
    ),
    (
        "yyyy년 MM월 dd일 HH시",
        "UTC",
        "en",
        &[
            ("2024년 05월 06일 07시", "2024-05-06T07:00:00.000Z"),
            ("2024년 5월 6일 7시", "2024-05-06T07:00:00.000Z"),
        ],
    ),
    (
        "yyyy-MM-dd",
        "UTC",
        "en",
        &[
            ("2024-05-06 ", ""),
            ("2024-05-06x", ""),
            (" 2024-05-06", ""),
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("2023-02-29", ""),
            ("2024-04-31", ""),
            ("2024-00-10", ""),
        ],
    ),
    ("yyyy 'abc", "UTC", "en", &[("2024 abc", "2024-01-01T00:00:00.000Z")]),
    (
        "yyyy-MM-dd HH:mm:ss",
        "Europe/London",
        "en",
        &[
            ("2024-01-15 12:00:00", "2024-01-15T12:00:00.000Z"),
            ("2024-07-15 12:00:00", "2024-07-15T11:00:00.000Z"),
        ],
    ),
    ("yyyy-MM-dd HH:mm:ss", "+05:30", "en", &[("2024-01-15 12:00:00", "2024-01-15T06:30:00.000Z")]),
    ("yyyy-MM-dd HH:mm:ss", "-08:00", "en", &[("2024-01-15 12:00:00", "2024-01-15T20:00:00.000Z")]),
    ("yyyy-MM-dd HH:mm:ss", "EST5EDT", "en", &[("2024-07-15 12:00:00", "2024-07-15T16:00:00.000Z")]),
    (
        "yyyy-MM-dd HH:mm:ss",
        "Asia/Seoul",
        "en",
        &[
            ("1900-01-01 00:00:00", "1899-12-31T15:32:08.000Z"),
            ("1954-03-21 00:00:00", "1954-03-20T15:30:00.000Z"),
            ("1988-07-01 00:00:00", "1988-06-30T14:00:00.000Z"),
        ],
    ),
    (
        "dd. MMMM yyyy",
        "UTC",
        "de",
        &[
            ("06. März 2024", "2024-03-06T00:00:00.000Z"),
            ("06. Mai 2024", "2024-05-06T00:00:00.000Z"),
            ("06. Dezember 2024", "2024-12-06T00:00:00.000Z"),
            ("06. December 2024", ""),
        ],
    ),
    (
        "dd MMMM yyyy",
        "UTC",
        "fr",
        &[
            ("06 février 2024", "2024-02-06T00:00:00.000Z"),
            ("06 août 2024", "2024-08-06T00:00:00.000Z"),
            ("06 décembre 2024", "2024-12-06T00:00:00.000Z"),
            ("06 fevrier 2024", ""),
        ],
    ),
    (
        "dd MMM yyyy",
        "UTC",
        "fr-FR",
        &[
            ("06 janv. 2024", "2024-01-06T00:00:00.000Z"),
            ("06 mai 2024", "2024-05-06T00:00:00.000Z"),
            ("06 déc. 2024", "2024-12-06T00:00:00.000Z"),
            ("06 janv 2024", ""),
        ],
    ),
    (
        "EEEE dd 'de' MMMM 'de' yyyy",
        "UTC",
        "es",
        &[("lunes 06 de mayo de 2024", "2024-05-06T00:00:00.000Z"), ("Lunes 06 de Mayo de 2024", "")],
    ),
    (
        "yyyy년 MMMM dd일 a hh:mm",
        "Asia/Seoul",
        "ko",
        &[
            ("2024년 5월 06일 오전 07:08", "2024-05-05T22:08:00.000Z"),
            ("2024년 12월 06일 오후 07:08", "2024-12-06T10:08:00.000Z"),
        ],
    ),
    (
        "yyyy/MM/dd(E) HH:mm",
        "Asia/Tokyo",
        "ja",
        &[("2024/05/06(月) 07:08", "2024-05-05T22:08:00.000Z"), ("2024/05/06(Mon) 07:08", "")],
    ),
    ("dd MMM yyyy", "UTC", "en_US", &[("06 May 2024", "2024-05-06T00:00:00.000Z")]),
    ("dd MMM yyyy", "UTC", "xx", &[("06 May 2024", "2024-05-06T00:00:00.000Z"), ("06 M05 2024", "")]),
];

/// As `RECORDED`, in UTC and English, with the clock at 2024-01-01.
const IN_JANUARY: &[(&str, &[(&str, &str)])] = &[
    (
        "ISO8601",
        &[
            ("2024", "2024-01-01T00:00:00.000Z"),
            ("2024-127", "2024-05-06T00:00:00.000Z"),
            ("2024-W19-1", "2024-05-06T00:00:00.000Z"),
            ("T07:08:09Z", "1970-01-01T07:08:09.000Z"),
            ("2024-05-06T07.5", "2024-05-06T07:30:00.000Z"),
            ("2024-05-06t07:08z", "2024-05-06T07:08:00.000Z"),
            ("20240506", "+20240506-01-01T00:00:00.000Z"),
            ("2024-05-06 07:08:09", ""),
            ("2024-05-06T07:08:", ""),
        ],
    ),
    (
        "MMM dd HH:mm:ss",
        &[
            ("Jan 31 07:08:09", "2024-01-31T07:08:09.000Z"),
            ("Feb 29 07:08:09", "2024-02-29T07:08:09.000Z"),
            ("Dec 31 23:59:00", "2023-12-31T23:59:00.000Z"),
        ],
    ),
    ("MMM dd HH:mm:ss Z", &[("Nov 24 01:29:01 -0800", "2024-11-24T09:29:01.000Z")]),
    ("HH:mm", &[("07:08", "2024-01-01T07:08:00.000Z")]),
    ("EEE MMM dd yyyy", &[("Sun Jun 02 2026", "2026-06-07T00:00:00.000Z")]),
    ("dd MMM yyyy", &[("06 Sept 2024", "")]),
    ("yyyy GG", &[("0044 BC", "0044-01-01T00:00:00.000Z")]),
    ("YYYY GG", &[("0044 BCE", "-0043-01-01T00:00:00.000Z")]),
    (
        "yy",
        &[
            ("24", "2024-01-01T00:00:00.000Z"),
            ("44", "1944-01-01T00:00:00.000Z"),
            ("1944", "1944-01-01T00:00:00.000Z"),
        ],
    ),
    ("yyMMdd", &[("240506", "2024-05-06T00:00:00.000Z"), ("20240506", "")]),
    ("yyyy-MM-dd HH:mm z", &[("2024-07-06 07:08 PST", "2024-07-06T14:08:00.000Z")]),
    (
        "yyyy-MM-dd HH:mm ZZZ",
        &[
            ("2024-07-06 07:08 America/Argentina/Buenos_Aires", "2024-07-06T10:08:00.000Z"),
            ("2024-07-06 07:08 america/argentina/buenos_aires", ""),
        ],
    ),
    ("xxxx-'W'ww-e yyyy", &[("2020-W53-5 2020", "2021-01-01T00:00:00.000Z")]),
];

fn read(format: &str, zone: &str, locale: &str, text: &str, now: &str) -> String {
    let now: Timestamp = now.parse().expect("a time");
    let parser =
        DateParser::compile_at(format, Locale::for_tag(locale), Precision::Milliseconds, now).expect(format);
    let zone = Zone::for_id(zone).expect(zone);
    let found = parser.parse_at(DateSource::Text(text), &zone, || now);
    found.map(|timestamp| timestamp.to_string()).unwrap_or_default()
}

#[test]
fn reads_what_logstash_reads() {
    for (format, zone, locale, texts) in RECORDED {
        for (text, expected) in *texts {
            let found = read(format, zone, locale, text, "2026-11-22T16:00:00Z");
            assert_eq!(found, *expected, "{text:?} as {format:?} in {zone}, {locale}");
        }
    }
    for (format, texts) in IN_JANUARY {
        for (text, expected) in *texts {
            assert_eq!(
                read(format, "UTC", "en", text, "2024-01-01T00:00:00Z"),
                *expected,
                "{text:?} as {format:?}"
            );
        }
    }
}

#[test]
fn in_december_january_is_next_year() {
    assert_eq!(read("MMM dd", "UTC", "en", "Jan 01", "2023-12-31T12:00:00Z"), "2024-01-01T00:00:00.000Z");
    assert_eq!(read("MMM dd", "UTC", "en", "Nov 01", "2023-12-31T12:00:00Z"), "2023-11-01T00:00:00.000Z");
}

#[test]
fn reads_numbers() {
    fn millis(format: &str, source: DateSource<'_>) -> Option<i64> {
        let parser = DateParser::compile(format, Locale::english(), Precision::Milliseconds).expect(format);
        parser.parse(source, &Zone::UTC).map(Timestamp::epoch_millis)
    }
    let decimal = |text: &str| text.parse::<BigDecimal>().expect(text);
    assert_eq!(millis("UNIX", DateSource::Integer(1_714_979_289)), Some(1_714_979_289_000));
    assert_eq!(millis("UNIX", DateSource::Integer(2_147_483_648)), None);
    assert_eq!(millis("UNIX", DateSource::Float(-1.5)), Some(-1500));
    assert_eq!(millis("UNIX", DateSource::Float(1_714_979_289.123)), Some(1_714_979_289_123));
    assert_eq!(millis("UNIX", DateSource::Decimal(&decimal("1714979289.1239"))), Some(1_714_979_289_123));
    assert_eq!(millis("UNIX", DateSource::Decimal(&decimal("1e999999999"))), None);
    assert_eq!(millis("UNIX", DateSource::Decimal(&decimal("1e-999999999"))), Some(0));
    assert_eq!(millis("UNIX_MS", DateSource::Integer(3_000_000_000)), Some(3_000_000_000));
    assert_eq!(millis("UNIX_MS", DateSource::Decimal(&decimal("3000000000.9"))), Some(3_000_000_000));
    assert_eq!(millis("yyyy", DateSource::Integer(2024)), None);
    assert_eq!(millis("ISO8601", DateSource::Integer(2024)), None);
}

#[test]
fn refuses_what_nothing_could_match() {
    let message = |format: &str| {
        DateParser::compile(format, Locale::english(), Precision::Milliseconds)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(message("u").contains("`u`"));
    assert!(message("yyyy zzzz").contains("`zzzz`"));
    assert!(message("").contains("empty"));
}

#[test]
fn nanoseconds_keep_nine_digits_and_read_patterns_of_java_time() {
    let read = |format: &str, source: DateSource<'_>| {
        let parser = DateParser::compile(format, Locale::english(), Precision::Nanoseconds).expect(format);
        parser.parse(source, &Zone::UTC).map(|timestamp| timestamp.to_string()).unwrap_or_default()
    };
    for (format, text, expected) in [
        ("ISO8601", "2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456789Z"),
        ("ISO8601", "2024-05-06 07:08:09,123456+0900", "2024-05-05T22:08:09.123456Z"),
        ("UNIX", "1714979289.123456789", "2024-05-06T07:08:09.123456789Z"),
        ("UNIX", "-1.5", "1969-12-31T23:59:58.500Z"),
        ("UNIX", "1.-5", ""),
        ("UNIX", "1e3", ""),
        ("UNIX", "2147483648", ""),
        ("UNIX_MS", "1714979289123", "2024-05-06T07:08:09.123Z"),
        ("TAI64N", "@4000000050d506482dbdf024", "2012-12-22T01:00:46.767422500Z"),
        ("yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2024-05-06 07:08:09.123456789", "2024-05-06T07:08:09.123456789Z"),
        ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2024-05-06 07:08:09.1234", ""),
        ("uuuuMMddHHmmssSSS", "20240506070809123", "2024-05-06T07:08:09.123Z"),
        ("yyyy-MM-dd", "2024-5-6", ""),
        ("y-M-d", "2024-5-6", "2024-05-06T00:00:00.000Z"),
        ("dd/MMM/yyyy:HH:mm:ss[.SSSSSS] XX", "06/May/2024:07:08:09 +0200", "2024-05-06T05:08:09.000Z"),
        ("dd/MMM/yyyy:HH:mm:ss[.SSSSSS] XX", "06/May/2024:07:08:09.123456 Z", "2024-05-06T07:08:09.123456Z"),
        ("yyyy-MM-dd HH:mm VV", "2024-07-06 07:08 Europe/Paris", "2024-07-06T05:08:00.000Z"),
        ("dd.MM.yy h:mm a", "06.05.24 7:08 PM", "2024-05-06T19:08:00.000Z"),
    ] {
        assert_eq!(read(format, DateSource::Text(text)), expected, "{text:?} as {format:?}");
    }
    assert_eq!(read("UNIX", DateSource::Float(1_714_979_289.123456)), "2024-05-06T07:08:09.123456Z");
    assert_eq!(read("UNIX_MS", DateSource::Float(1_714_979_289_123.25)), "2024-05-06T07:08:09.123250Z");
    let refused = DateParser::compile("YYYY-'W'ww", Locale::english(), Precision::Nanoseconds);
    assert!(refused.is_err_and(|error| error.to_string().contains("`YYYY`")));
}
