//! `Reader`: takes big-endian numbers off a datagram, never beyond its end.

/// Why a datagram cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

/// What is left of a datagram.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn len(&self) -> usize {
        self.rest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, size: usize) -> Result<&'b [u8], Invalid> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(Invalid("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes as a number.
    fn number<const N: usize>(&mut self) -> Result<u64, Invalid> {
        Ok(self.take(N)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub fn u8(&mut self) -> Result<u8, Invalid> {
        self.number::<1>().map(|number| number as u8)
    }

    pub fn u16(&mut self) -> Result<u16, Invalid> {
        self.number::<2>().map(|number| number as u16)
    }

    pub fn u32(&mut self) -> Result<u32, Invalid> {
        self.number::<4>().map(|number| number as u32)
    }

    /// Four bytes as a number to calculate with.
    pub fn i64_of_u32(&mut self) -> Result<i64, Invalid> {
        self.u32().map(i64::from)
    }
}
