//! Pages of a list: how many, from where, in which direction.
//!
//! Lists are read by keyset, never by offset: a cursor is the sort key of a row, so the thousandth
//! page costs what the first costs, and rows that come or go do not shift what follows.

/// The largest page.
pub const MAX_SIZE: u32 = 100;

/// The page where nobody says how large.
pub const DEFAULT_SIZE: u32 = 20;

/// Past this many rows a list says that it has many, not how many.
pub const COUNT_CAP: i64 = 10_000;

/// Which part of a list is asked for, `K` being its sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Rows behind this key only.
    pub after: Option<K>,
    /// Rows ahead of this key only.
    pub before: Option<K>,
    /// How many rows, at most [`MAX_SIZE`].
    pub size: u32,
    /// Whether they are taken from the end of what `after` and `before` leave.
    pub from_end: bool,
}

/// Why a page cannot be asked for so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `first` and `last` at once.
    #[error("give first or last, not both")]
    BothEnds,
    /// Outside 0 to [`MAX_SIZE`].
    #[error("first and last take 0 to {MAX_SIZE}")]
    Size,
}

impl<K> PageRequest<K> {
    /// Reads Relay's four arguments (GraphQL Cursor Connections, section 4).
    ///
    /// # Errors
    /// See [`PageError`].
    pub fn parse(
        first: Option<i32>,
        last: Option<i32>,
        after: Option<K>,
        before: Option<K>,
    ) -> Result<Self, PageError> {
        let (asked, from_end) = match (first, last) {
            (Some(_), Some(_)) => return Err(PageError::BothEnds),
            (Some(first), None) => (Some(first), false),
            (None, Some(last)) => (Some(last), true),
            (None, None) => (None, false),
        };
        let size = match asked {
            None => DEFAULT_SIZE,
            Some(asked) => {
                u32::try_from(asked).ok().filter(|size| *size <= MAX_SIZE).ok_or(PageError::Size)?
            }
        };
        Ok(Self { after, before, size, from_end })
    }
}

/// The rows of a page, in the list's own order whatever the direction of reading.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether rows follow.
    pub has_next: bool,
    /// Whether rows precede.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Makes a page of what was read for it: up to `size + 1` rows, in the direction of reading.
    /// The row too many only says that there are more; at the other end there are more where a
    /// cursor cut the list.
    #[must_use]
    pub fn of<K>(mut read: Vec<T>, request: &PageRequest<K>) -> Self {
        let size = request.size as usize;
        let more = read.len() > size;
        read.truncate(size);
        if request.from_end {
            read.reverse();
            Self { items: read, has_next: request.before.is_some(), has_previous: more }
        } else {
            Self { items: read, has_next: more, has_previous: request.after.is_some() }
        }
    }

    /// The same page of something else.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(from_end: bool, cursor: Option<u8>) -> PageRequest<u8> {
        let (after, before) = if from_end { (None, cursor) } else { (cursor, None) };
        PageRequest { after, before, size: 2, from_end }
    }

    #[test]
    fn sizes_are_0_to_100_and_20_where_none_is_given() {
        let size = |first, last| PageRequest::<u8>::parse(first, last, None, None).map(|p| p.size);
        assert_eq!(size(None, None), Ok(20));
        assert_eq!(size(Some(100), None), Ok(100));
        assert_eq!(size(Some(0), None), Ok(0));
        assert_eq!(size(None, Some(0)), Ok(0));
        for bad in [-1, i32::MIN, 101, i32::MAX] {
            assert_eq!(size(Some(bad), None), Err(PageError::Size));
            assert_eq!(size(None, Some(bad)), Err(PageError::Size));
        }
        assert_eq!(size(Some(1), Some(1)), Err(PageError::BothEnds));
    }

    #[test]
    fn a_row_too_many_says_that_there_are_more() {
        let page = Page::of(vec![1, 2, 3], &request(false, None));
        assert_eq!((page.items, page.has_next, page.has_previous), (vec![1, 2], true, false));
        let page = Page::of(vec![4], &request(false, Some(3)));
        assert_eq!((page.items, page.has_next, page.has_previous), (vec![4], false, true));
    }

    #[test]
    fn an_empty_page_says_what_is_around_it() {
        let empty = |from_end, cursor| PageRequest { size: 0, ..request(from_end, cursor) };
        let page = Page::of(vec![1], &empty(false, None));
        assert_eq!((page.items, page.has_next, page.has_previous), (Vec::new(), true, false));
        let page = Page::<u8>::of(Vec::new(), &empty(false, Some(3)));
        assert_eq!((page.items, page.has_next, page.has_previous), (Vec::new(), false, true));
        let page = Page::of(vec![9], &empty(true, None));
        assert_eq!((page.items, page.has_next, page.has_previous), (Vec::new(), false, true));
    }

    #[test]
    fn reading_from_the_end_keeps_the_lists_order() {
        let page = Page::of(vec![9, 8, 7], &request(true, None));
        assert_eq!((page.items, page.has_next, page.has_previous), (vec![8, 9], false, true));
        let page = Page::of(vec![2, 1], &request(true, Some(3)));
        assert_eq!((page.items, page.has_next, page.has_previous), (vec![1, 2], true, false));
    }
}
