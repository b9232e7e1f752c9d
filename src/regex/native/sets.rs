//! Sets of bytes and of characters, in the forms the matcher tests fast.

/// Inclusive ranges of code points, sorted and apart from each other.
pub(super) type Ranges = Vec<(u32, u32)>;

const LAST_CODE_POINT: u32 = char::MAX as u32;

/// Sorts ranges and joins those that touch.
pub(super) fn normalized(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut joined: Ranges = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match joined.last_mut() {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            _ => joined.push((low, high)),
        }
    }
    joined
}

/// Every code point that is not in `ranges`, which must be normalized.
pub(super) fn complement(ranges: &Ranges) -> Ranges {
    let mut outside = Vec::with_capacity(ranges.len() + 1);
    let mut next = 0;
    for &(low, high) in ranges {
        if low > next {
            outside.push((next, low - 1));
        }
        next = high + 1;
    }
    if next <= LAST_CODE_POINT {
        outside.push((next, LAST_CODE_POINT));
    }
    outside
}

/// The code points in both; both must be normalized.
pub(super) fn intersection(one: &Ranges, other: &Ranges) -> Ranges {
    let mut outside = complement(one);
    outside.extend(complement(other));
    complement(&normalized(outside))
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub const EMPTY: ByteSet = ByteSet([0; 4]);
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    pub fn insert(&mut self, byte: u8) {
        // A byte shifted by 6 is below 4.
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub fn union(self, other: Self) -> Self {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        ByteSet([a | e, b | f, c | g, d | h])
    }

    pub fn intersection(self, other: Self) -> Self {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        ByteSet([a & e, b & f, c & g, d & h])
    }

    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The member of a set of one.
    pub fn only(self) -> Option<u8> {
        let mut only = None;
        for (word, high) in self.0.iter().zip([0u8, 64, 128, 192]) {
            match (word.count_ones(), only) {
                (0, _) => {}
                // There are 64 bits in a word.
                (1, None) => only = Some(high + word.trailing_zeros() as u8),
                _ => return None,
            }
        }
        only
    }
}

/// What the text at a place may look like for something to match there. Never too narrow, often too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    /// The bytes a match can begin with.
    pub bytes: ByteSet,
    /// Whether there can be a match at the end of the text.
    pub end: bool,
}

impl First {
    pub const ANYTHING: First = First { bytes: ByteSet::ALL, end: true };
    pub const NOTHING: First = First { bytes: ByteSet::EMPTY, end: false };

    pub fn admits(&self, next: Option<&u8>) -> bool {
        match next {
            Some(byte) => self.bytes.contains(*byte),
            None => self.end,
        }
    }

    pub fn or(self, other: First) -> First {
        First { bytes: self.bytes.union(other.bytes), end: self.end || other.end }
    }

    pub fn and(self, other: First) -> First {
        First { bytes: self.bytes.intersection(other.bytes), end: self.end && other.end }
    }

    /// Whether no text is admitted by both.
    pub fn excludes(self, other: First) -> bool {
        let both = self.and(other);
        both.bytes.is_empty() && !both.end
    }

    /// The only byte that is admitted.
    pub fn only(self) -> Option<u8> {
        if self.end { None } else { self.bytes.only() }
    }
}

/// Which characters beyond ASCII belong to a set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wide {
    None,
    All,
    Some(Box<[(u32, u32)]>),
}

/// A set of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CharSet {
    /// By byte: whether a member can begin with it, or, beyond ASCII, go on with it.
    table: [bool; 256],
    /// The same as a set.
    bytes: ByteSet,
    wide: Wide,
    stop: Stop,
}

/// The bytes that end a run of a set, where they are so few that there is a quick search for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    Many,
}

impl Stop {
    fn of(absent: &[u8]) -> Self {
        match *absent {
            [one] => Stop::One(one),
            [one, two] => Stop::Two(one, two),
            [one, two, three] => Stop::Three(one, two, three),
            _ => Stop::Many,
        }
    }
}

impl CharSet {
    /// The set of the code points in `ranges`, which must be normalized.
    pub fn new(ranges: &Ranges) -> Self {
        let beyond_ascii = intersection(ranges, &vec![(0x80, LAST_CODE_POINT)]);
        let wide = match beyond_ascii.as_slice() {
            [] => Wide::None,
            [(0x80, LAST_CODE_POINT)] => Wide::All,
            some => Wide::Some(some.into()),
        };
        let mut table = [false; 256];
        for (byte, slot) in (0u32..).zip(table.iter_mut()) {
            *slot = match byte {
                0..0x80 => ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte)),
                _ => wide != Wide::None,
            };
        }
        let absent: Vec<u8> =
            (0..=u8::MAX).zip(table).filter(|(_, member)| !member).map(|(byte, _)| byte).collect();
        let stop = if wide == Wide::All { Stop::of(&absent) } else { Stop::Many };
        let mut bytes = ByteSet::EMPTY;
        (0..=u8::MAX).zip(table).filter(|(_, member)| *member).for_each(|(byte, _)| bytes.insert(byte));
        CharSet { table, bytes, wide, stop }
    }

    /// What a member can begin with.
    pub fn first(&self) -> First {
        First { bytes: self.bytes, end: false }
    }

    /// Whether every character belongs to it.
    pub fn is_everything(&self) -> bool {
        self.wide == Wide::All && self.table.iter().all(|member| *member)
    }

    /// The place behind the character at `at`, if that is a member.
    #[inline]
    pub fn step(&self, text: &str, at: usize) -> Option<usize> {
        let byte = *text.as_bytes().get(at)?;
        if !self.table[usize::from(byte)] {
            return None;
        }
        if byte < 0x80 {
            return Some(at + 1);
        }
        let character = text.get(at..)?.chars().next()?;
        self.has_wide(character).then(|| at + character.len_utf8())
    }

    fn has_wide(&self, character: char) -> bool {
        match &self.wide {
            Wide::None => false,
            Wide::All => true,
            Wide::Some(ranges) => {
                let code = u32::from(character);
                let after = ranges.partition_point(|(low, _)| *low <= code);
                ranges.get(..after).and_then(<[_]>::last).is_some_and(|(_, high)| code <= *high)
            }
        }
    }

    /// Whether the character that ends at `at` is a member.
    pub fn ends_at(&self, text: &str, at: usize) -> bool {
        before(text, at).is_some_and(|start| self.step(text, start) == Some(at))
    }

    /// The place behind the longest run of at most `limit` members from `at` on.
    #[inline]
    pub fn run(&self, text: &str, at: usize, limit: Option<u32>) -> usize {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        match (limit, &self.wide) {
            (None, Wide::None) => at + self.bytes_of_run(rest),
            (None, Wide::All) => {
                let length = match self.stop {
                    Stop::One(one) => memchr::memchr(one, rest),
                    Stop::Two(one, two) => memchr::memchr2(one, two, rest),
                    Stop::Three(one, two, three) => memchr::memchr3(one, two, three, rest),
                    Stop::Many => return at + self.bytes_of_run(rest),
                };
                at + length.unwrap_or(rest.len())
            }
            (Some(limit), Wide::None) => {
                let limit = rest.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
                at + self.bytes_of_run(rest.get(..limit).unwrap_or_default())
            }
            _ => {
                let mut end = at;
                let mut left = limit.unwrap_or(u32::MAX);
                while left > 0
                    && let Some(next) = self.step(text, end)
                {
                    end = next;
                    left -= u32::from(limit.is_some());
                }
                end
            }
        }
    }

    fn bytes_of_run(&self, rest: &[u8]) -> usize {
        rest.iter().position(|byte| !self.table[usize::from(*byte)]).unwrap_or(rest.len())
    }
}

/// The place of the character that ends at `at`.
#[inline]
pub(super) fn before(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut start = at.checked_sub(1)?;
    while bytes.get(start).is_some_and(|byte| byte & 0xC0 == 0x80) {
        start = start.checked_sub(1)?;
    }
    Some(start)
}
