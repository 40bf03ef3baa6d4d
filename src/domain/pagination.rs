//! Keyset pagination: page requests and pages.
//!
//! A cursor is the sort key of a row, not an offset. So the thousandth page costs as much as the first, and
//! rows that are inserted or deleted do not shift the following pages.

pub const MAX_SIZE: u32 = 100;

pub const DEFAULT_SIZE: u32 = 20;

/// Above this number of rows, `totalCount` is null.
pub const COUNT_CAP: i64 = 10_000;

/// Request for a page of a list with the sort key `K`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Only rows after this key.
    pub after: Option<K>,
    /// Only rows before this key.
    pub before: Option<K>,
    /// At most [`MAX_SIZE`].
    pub size: u32,
    /// Whether the rows are taken from the end of the range between `after` and `before`.
    pub from_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("Use first or last, not both.")]
    BothEnds,
    #[error("The page size must be 0 to {MAX_SIZE} (first or last).")]
    Size,
}

impl<K> PageRequest<K> {
    /// Parses Relay's four arguments (GraphQL Cursor Connections, section 4).
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

/// Rows of a page, always in the order of the list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Makes a page of up to `size + 1` rows in the direction of reading. The extra row only tells that
    /// there are more rows in that direction. In the other direction there are more if a cursor was given.
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
