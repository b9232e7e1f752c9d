//! Unicode normalization of Latin letters with marks, which is what scripts do to strip accents.

/// Base letters with the marks they combine with, and what comes of it.
const COMPOSED: &[(char, &str)] = &[
    // Grave, acute, circumflex, tilde, diaeresis, ring, caron, macron, breve, ogonek, dot above, double acute.
    ('\u{300}', "AÀaàEÈeèIÌiìOÒoòUÙuùNǸnǹWẀwẁYỲyỳ"),
    ('\u{301}', "AÁaáEÉeéIÍiíOÓoóUÚuúYÝyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźGǴgǵKḰkḱMḾmḿPṔpṕWẂwẃÆǼæǽØǾøǿ"),
    ('\u{302}', "AÂaâEÊeêIÎiîOÔoôUÛuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑ"),
    ('\u{303}', "AÃaãNÑnñOÕoõIĨiĩUŨuũEẼeẽYỸyỹVṼvṽ"),
    ('\u{308}', "AÄaäEËeëIÏiïOÖoöUÜuüYŸyÿWẄwẅXẌxẍHḦhḧ"),
    ('\u{30A}', "AÅaåUŮuů"),
    ('\u{30C}', "CČcčDĎdďEĚeěNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔGǦgǧKǨkǩLĽlľ"),
    ('\u{304}', "AĀaāEĒeēIĪiīOŌoōUŪuūYȲyȳGḠgḡ"),
    ('\u{306}', "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭ"),
    ('\u{328}', "AĄaąEĘeęIĮiįUŲuųOǪoǫ"),
    ('\u{307}', "CĊcċEĖeėGĠgġIİZŻzżBḂbḃDḊdḋFḞfḟMṀmṁPṖpṗSṠsṡTṪtṫAȦaȧOȮoȯ"),
    ('\u{30B}', "OŐoőUŰuű"),
    ('\u{327}', "CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ"),
    ('\u{326}', "SȘsșTȚtț"),
    ('\u{323}', "AẠaạEẸeẹIỊiịOỌoọUỤuụYỴyỵDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓ"),
    ('\u{309}', "AẢaảEẺeẻIỈiỉOỎoỏUỦuủYỶyỷ"),
    ('\u{31B}', "OƠoơUƯuư"),
    // Letters that carry two marks (Vietnamese).
    ('\u{301}', "ÂẤâấÊẾêếÔỐôốĂẮăắƠỚơớƯỨưứ"),
    ('\u{300}', "ÂẦâầÊỀêềÔỒôồĂẰăằƠỜơờƯỪưừ"),
    ('\u{303}', "ÂẪâẫÊỄêễÔỖôỗĂẴăẵƠỠơỡƯỮưữ"),
    ('\u{309}', "ÂẨâẩÊỂêểÔỔôổĂẲăẳƠỞơởƯỬưử"),
    ('\u{302}', "ẠẬạậẸỆẹệỌỘọộ"),
    ('\u{306}', "ẠẶạặ"),
    ('\u{323}', "ƠỢơợƯỰưự"),
];

/// What the compatibility forms (`nfkc`, `nfkd`) take apart besides.
const COMPATIBLE: &[(char, &str)] = &[
    ('\u{A0}', " "),
    ('ª', "a"),
    ('²', "2"),
    ('³', "3"),
    ('¹', "1"),
    ('º', "o"),
    ('µ', "μ"),
    ('¼', "1⁄4"),
    ('½', "1⁄2"),
    ('¾', "3⁄4"),
    ('ĳ', "ij"),
    ('Ĳ', "IJ"),
    ('ſ', "s"),
    ('ﬀ', "ff"),
    ('ﬁ', "fi"),
    ('ﬂ', "fl"),
    ('ﬃ', "ffi"),
    ('ﬄ', "ffl"),
    ('…', "..."),
    ('™', "TM"),
    ('№', "No"),
    ('℃', "°C"),
    ('Ⅰ', "I"),
    ('Ⅱ', "II"),
    ('Ⅲ', "III"),
    ('\u{2002}', " "),
    ('\u{2003}', " "),
    ('\u{2009}', " "),
    ('\u{202F}', " "),
    ('\u{3000}', " "),
    ('①', "1"),
    ('②', "2"),
    ('③', "3"),
    ('⁰', "0"),
    ('⁴', "4"),
    ('⁵', "5"),
    ('⁶', "6"),
    ('⁷', "7"),
    ('⁸', "8"),
    ('⁹', "9"),
];

fn pairs() -> impl Iterator<Item = (char, char, char)> {
    COMPOSED.iter().flat_map(|(mark, letters)| {
        let bases = letters.chars().step_by(2);
        bases.zip(letters.chars().skip(1).step_by(2)).map(|(base, composed)| (base, *mark, composed))
    })
}

/// Text in one of the forms `nfc`, `nfd`, `nfkc`, `nfkd`. Other scripts than Latin stay as they are.
pub(super) fn normalize(text: &str, form: &str) -> String {
    let mut characters = Vec::new();
    for character in text.chars() {
        decompose(character, form.starts_with("nfk"), &mut characters);
    }
    if form.ends_with('d') {
        return characters.into_iter().collect();
    }
    let mut out: Vec<char> = Vec::new();
    for character in characters {
        let composed = out.last().and_then(|last| {
            pairs().find(|(base, mark, _)| base == last && *mark == character).map(|(.., composed)| composed)
        });
        match (composed, out.last_mut()) {
            (Some(composed), Some(last)) => *last = composed,
            _ => out.push(character),
        }
    }
    out.into_iter().collect()
}

fn decompose(character: char, compatible: bool, into: &mut Vec<char>) {
    if character.is_ascii() {
        return into.push(character);
    }
    if compatible {
        if let Some((_, plain)) = COMPATIBLE.iter().find(|(known, _)| *known == character) {
            return into.extend(plain.chars());
        }
        // Full-width forms of ASCII.
        if let Some(ascii) = u32::from(character).checked_sub(0xFEE0).and_then(char::from_u32)
            && ('!'..='~').contains(&ascii)
        {
            return into.push(ascii);
        }
    }
    match pairs().find(|(.., composed)| *composed == character) {
        Some((base, mark, _)) => {
            decompose(base, compatible, into);
            into.push(mark);
        }
        None => into.push(character),
    }
}
