//! Connections (GraphQL Cursor Connections Specification).
//!
//! They are not async-graphql's, which have no `nodes` beside `edges` and no nullable `totalCount`.

use async_graphql::SimpleObject;

/// Position of a page in its list (Relay connection).
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// True if nodes follow after this page; fetch them by `after: endCursor`.
    pub(super) has_next_page: bool,
    /// True if nodes precede this page; fetch them by `before: startCursor`.
    pub(super) has_previous_page: bool,
    /// Cursor of the first edge; null if the page is empty.
    pub(super) start_cursor: Option<String>,
    /// Cursor of the last edge; null if the page is empty.
    pub(super) end_cursor: Option<String>,
}

/// Defines the connection of a type and its edge. They are not generic, since async-graphql cannot
/// name the edges of a generic connection.
macro_rules! connection {
    ($node:ident: $connection:ident of $edge:ident) => {
        /// Node of a list with its cursor (Relay connection).
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $edge {
            /// Position of the node in the list, for the arguments `after` and `before`.
            cursor: String,
            /// Object at this position of the list.
            node: $node,
        }

        /// Page of a list (Relay connection).
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $connection {
            /// Nodes of the page, each with its cursor.
            edges: Vec<$edge>,
            /// Nodes of the page, without cursors.
            nodes: Vec<$node>,
            /// Position of the page in the list.
            page_info: $crate::graphql::connection::PageInfo,
            /// Number of nodes in the whole list, on all pages; null if more than 10,000.
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
