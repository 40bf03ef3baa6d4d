//! Connections (GraphQL Cursor Connections Specification).
//!
//! They are not async-graphql's, which have no `nodes` beside `edges` and no nullable `totalCount`.

use async_graphql::SimpleObject;

/// Where a page lies in its list.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether something follows.
    pub(super) has_next_page: bool,
    /// Whether something precedes.
    pub(super) has_previous_page: bool,
    /// The cursor of the first edge.
    pub(super) start_cursor: Option<String>,
    /// The cursor of the last edge.
    pub(super) end_cursor: Option<String>,
}

/// Defines the connection of a type and its edge. They are not generic, since async-graphql cannot
/// name the edges of a generic connection.
macro_rules! connection {
    ($node:ident: $connection:ident of $edge:ident) => {
        /// An element of a list, and where it stands.
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $edge {
            /// Where it stands.
            cursor: String,
            /// The element.
            node: $node,
        }

        /// A page of a list.
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $connection {
            /// The elements, each with its cursor.
            edges: Vec<$edge>,
            /// The elements.
            nodes: Vec<$node>,
            /// Where the page lies in the list.
            page_info: $crate::graphql::connection::PageInfo,
            /// How many elements the whole list has; null past 10,000.
            total_count: Option<i64>,
        }

        impl $connection {
            /// The connection of a page. `key` is the sort key of an item, `wrap` makes the node of it.
            pub(in crate::graphql) fn new<U, K: $crate::graphql::cursor::SortKey>(
                page: $crate::domain::pagination::Page<U>,
                total_count: Option<i64>,
                key: impl Fn(&U) -> K,
                wrap: impl Fn(U) -> $node,
            ) -> Self {
                let page = page.map(|item| $edge {
                    cursor: $crate::graphql::cursor::encode(&key(&item)),
                    node: wrap(item),
                });
                let cursor = |edge: Option<&$edge>| edge.map(|edge| edge.cursor.clone());
                let page_info = $crate::graphql::connection::PageInfo {
                    has_next_page: page.has_next,
                    has_previous_page: page.has_previous,
                    start_cursor: cursor(page.items.first()),
                    end_cursor: cursor(page.items.last()),
                };
                let nodes = page.items.iter().map(|edge| edge.node.clone()).collect();
                Self { edges: page.items, nodes, page_info, total_count }
            }
        }
    };
}

pub(super) use connection;
